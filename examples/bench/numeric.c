// The first kernels of Numeric.cs and Arrays.cs in C. Prints `name nanoseconds checksum` lines as Driver.cs does.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { double x, y, z, vx, vy, vz, mass; } body;

static int64_t nbody(void)
{
    body bodies[5] = {
        {0, 0, 0, 0, 0, 0, 39.47841760435743},
        {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949},
        {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.82566237123041, 0.00841576137658415, 0.011286326131968767},
        {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644154, 0.868713018169608, -0.010832637401363636, 0.0017237240570597112},
        {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.594698998647676, -0.034755955504078104, 0.0020336868699246304},
    };
    for (int step = 0; step < 50000; step++) {
        for (int i = 0; i < 5; i++) {
            body *a = &bodies[i];
            for (int j = i + 1; j < 5; j++) {
                body *b = &bodies[j];
                double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z, d2 = dx * dx + dy * dy + dz * dz, mag = 0.01 / (d2 * sqrt(d2));
                a->vx -= dx * b->mass * mag; a->vy -= dy * b->mass * mag; a->vz -= dz * b->mass * mag;
                b->vx += dx * a->mass * mag; b->vy += dy * a->mass * mag; b->vz += dz * a->mass * mag;
            }
        }
        for (int i = 0; i < 5; i++) {
            body *b = &bodies[i];
            b->x += 0.01 * b->vx; b->y += 0.01 * b->vy; b->z += 0.01 * b->vz;
        }
    }
    return (int64_t)(bodies[1].x * 1e6);
}

static double at(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(double *v, double *result, int n, int transposed)
{
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++) sum += (transposed ? at(j, i) : at(i, j)) * v[j];
        result[i] = sum;
    }
}

static int64_t spectral_norm(void)
{
    enum { N = 300 };
    static double u[N], v[N], t[N];
    for (int i = 0; i < N; i++) u[i] = 1;
    for (int i = 0; i < 10; i++) { times(u, t, N, 0); times(t, v, N, 1); times(v, t, N, 0); times(t, u, N, 1); }
    double uv = 0, vv = 0;
    for (int i = 0; i < N; i++) { uv += u[i] * v[i]; vv += v[i] * v[i]; }
    return (int64_t)(sqrt(uv / vv) * 1e9);
}

static int64_t mandelbrot(void)
{
    enum { N = 200 };
    int64_t inside = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            double cr = 2.0 * x / N - 1.5, ci = 2.0 * y / N - 1.0, zr = 0, zi = 0;
            int n = 0;
            while (n < 100 && zr * zr + zi * zi < 4) {
                double t = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = t;
                n++;
            }
            inside += n;
        }
    return inside;
}

static int64_t fannkuch(void)
{
    enum { N = 8 };
    int *perm = calloc(N, sizeof(int)), *perm1 = calloc(N, sizeof(int)), *count = calloc(N, sizeof(int));
    int checksum = 0, flips_max = 0, r = N, permutations = 0;
    for (int i = 0; i < N; i++) perm1[i] = i;
    while (1) {
        while (r != 1) { count[r - 1] = r; r--; }
        for (int i = 0; i < N; i++) perm[i] = perm1[i];
        int flips = 0, k;
        while ((k = perm[0]) != 0) {
            for (int i = 0, j = k; i < j; i++, j--) { int t = perm[i]; perm[i] = perm[j]; perm[j] = t; }
            flips++;
        }
        if (flips > flips_max) flips_max = flips;
        checksum += (permutations & 1) == 0 ? flips : -flips;
        while (1) {
            if (r == N) {
                free(perm); free(perm1); free(count);
                return checksum * 100L + flips_max;
            }
            int first = perm1[0];
            for (int i = 0; i < r; i++) perm1[i] = perm1[i + 1];
            perm1[r] = first;
            if (--count[r] > 0) break;
            r++;
        }
        permutations++;
    }
}

static int64_t sieve(void)
{
    enum { N = 1000000 };
    char *composite = calloc(N, 1);
    int primes = 0;
    for (int i = 2; i < N; i++) {
        if (composite[i]) continue;
        primes++;
        for (int j = i + i; j < N; j += i) composite[j] = 1;
    }
    free(composite);
    return primes;
}

static int64_t matrix_jagged(void)
{
    enum { N = 120 };
    double *a[N], *b[N], *c[N];
    for (int i = 0; i < N; i++) {
        a[i] = calloc(N, sizeof(double)); b[i] = calloc(N, sizeof(double)); c[i] = calloc(N, sizeof(double));
        for (int j = 0; j < N; j++) { a[i][j] = i + j; b[i][j] = i - j; }
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    int64_t result = (int64_t)c[N / 2][N / 3];
    for (int i = 0; i < N; i++) { free(a[i]); free(b[i]); free(c[i]); }
    return result;
}

static int64_t collatz(void)
{
    int64_t longest = 0, best = 0;
    for (int start = 1; start < 30000; start++) {
        int64_t n = start, length = 0;
        while (n != 1) { n = n % 2 == 0 ? n / 2 : 3 * n + 1; length++; }
        if (length > longest) { longest = length; best = start; }
    }
    return best * 1000 + longest;
}

static int64_t crc32(void)
{
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    uint8_t *data = malloc(500000);
    for (int i = 0; i < 500000; i++) data[i] = (uint8_t)(i * 7);
    uint32_t crc = 0xFFFFFFFFu;
    for (int pass = 0; pass < 4; pass++)
        for (int i = 0; i < 500000; i++) crc = table[(crc ^ data[i]) & 0xFF] ^ (crc >> 8);
    free(data);
    return crc;
}

static int64_t mixing(void)
{
    uint64_t a = 0x9E3779B97F4A7C15ULL, sum = 0;
    for (int i = 0; i < 3000000; i++) {
        a ^= a << 13; a ^= a >> 7; a ^= a << 17;
        sum += (a << 11 | a >> 53) * 0xBF58476D1CE4E5B9ULL;
    }
    return (int64_t)sum;
}

static int64_t array_sum(void)
{
    int *a = malloc(100000 * sizeof(int));
    for (int i = 0; i < 100000; i++) a[i] = i ^ (i >> 3);
    int64_t sum = 0;
    for (int pass = 0; pass < 30; pass++) {
        int part = 0;
        for (int i = 0; i < 100000; i++) part += a[i];
        sum += part;
        a[pass] = pass;
    }
    free(a);
    return sum;
}

static int64_t array_map(void)
{
    float *a = malloc(100000 * sizeof(float)), *b = malloc(100000 * sizeof(float));
    for (int i = 0; i < 100000; i++) { a[i] = (float)(i % 100); b[i] = (float)(i % 7); }
    for (int pass = 0; pass < 30; pass++)
        for (int i = 0; i < 100000; i++) b[i] = a[i] * 0.5f + b[i] * 0.25f;
    double sum = 0;
    for (int i = 0; i < 100000; i++) sum += b[i];
    free(a); free(b);
    return (int64_t)sum;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void)
{
    static const struct { const char *name; int64_t (*run)(void); } kernels[] = {
        {"nbody", nbody}, {"spectral_norm", spectral_norm}, {"mandelbrot", mandelbrot}, {"fannkuch", fannkuch},
        {"sieve", sieve}, {"matrix_jagged", matrix_jagged}, {"collatz", collatz}, {"crc32", crc32}, {"mixing", mixing},
        {"array_sum", array_sum}, {"array_map", array_map},
    };
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        int64_t times[9], checksum = kernels[k].run();
        for (int i = 0; i < 9; i++) {
            int64_t start = now();
            if (kernels[k].run() != checksum) return 1;
            times[i] = now() - start;
        }
        qsort(times, 9, sizeof *times, compare);
        printf("%s %ld %ld\n", kernels[k].name, (long)times[4], (long)checksum);
    }
    return 0;
}
