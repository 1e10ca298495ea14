// Floating point and integers. The first nine are written the same way in `numeric.c`.
using System;

static class Numeric
{
    sealed class Body { public double X, Y, Z, VX, VY, VZ, Mass; }

    static Body At(double x, double y, double z, double vx, double vy, double vz, double mass) =>
        new Body { X = x, Y = y, Z = z, VX = vx, VY = vy, VZ = vz, Mass = mass };

    public static long bench_nbody()
    {
        var bodies = new[]
        {
            At(0, 0, 0, 0, 0, 0, 39.47841760435743),
            At(4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949),
            At(8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.82566237123041, 0.00841576137658415, 0.011286326131968767),
            At(12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644154, 0.868713018169608, -0.010832637401363636, 0.0017237240570597112),
            At(15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.594698998647676, -0.034755955504078104, 0.0020336868699246304),
        };
        for (int step = 0; step < 50000; step++)
        {
            for (int i = 0; i < bodies.Length; i++)
            {
                Body a = bodies[i];
                for (int j = i + 1; j < bodies.Length; j++)
                {
                    Body b = bodies[j];
                    double dx = a.X - b.X, dy = a.Y - b.Y, dz = a.Z - b.Z, d2 = dx * dx + dy * dy + dz * dz, mag = 0.01 / (d2 * Math.Sqrt(d2));
                    a.VX -= dx * b.Mass * mag; a.VY -= dy * b.Mass * mag; a.VZ -= dz * b.Mass * mag;
                    b.VX += dx * a.Mass * mag; b.VY += dy * a.Mass * mag; b.VZ += dz * a.Mass * mag;
                }
            }
            for (int i = 0; i < bodies.Length; i++)
            {
                Body b = bodies[i];
                b.X += 0.01 * b.VX; b.Y += 0.01 * b.VY; b.Z += 0.01 * b.VZ;
            }
        }
        return (long)(bodies[1].X * 1e6);
    }

    static double A(int i, int j) => 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);

    static void Times(double[] v, double[] result, bool transposed)
    {
        for (int i = 0; i < v.Length; i++)
        {
            double sum = 0;
            for (int j = 0; j < v.Length; j++) sum += (transposed ? A(j, i) : A(i, j)) * v[j];
            result[i] = sum;
        }
    }

    public static long bench_spectral_norm()
    {
        const int N = 300;
        double[] u = new double[N], v = new double[N], t = new double[N];
        for (int i = 0; i < N; i++) u[i] = 1;
        for (int i = 0; i < 10; i++) { Times(u, t, false); Times(t, v, true); Times(v, t, false); Times(t, u, true); }
        double uv = 0, vv = 0;
        for (int i = 0; i < N; i++) { uv += u[i] * v[i]; vv += v[i] * v[i]; }
        return (long)(Math.Sqrt(uv / vv) * 1e9);
    }

    public static long bench_mandelbrot()
    {
        const int N = 200;
        long inside = 0;
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++)
            {
                double cr = 2.0 * x / N - 1.5, ci = 2.0 * y / N - 1.0, zr = 0, zi = 0;
                int n = 0;
                while (n < 100 && zr * zr + zi * zi < 4)
                {
                    double t = zr * zr - zi * zi + cr;
                    zi = 2 * zr * zi + ci;
                    zr = t;
                    n++;
                }
                inside += n;
            }
        return inside;
    }

    public static long bench_fannkuch()
    {
        const int N = 8;
        int[] perm = new int[N], perm1 = new int[N], count = new int[N];
        int checksum = 0, flipsMax = 0, r = N, permutations = 0;
        for (int i = 0; i < N; i++) perm1[i] = i;
        while (true)
        {
            while (r != 1) { count[r - 1] = r; r--; }
            for (int i = 0; i < N; i++) perm[i] = perm1[i];
            int flips = 0, k;
            while ((k = perm[0]) != 0)
            {
                for (int i = 0, j = k; i < j; i++, j--) { int t = perm[i]; perm[i] = perm[j]; perm[j] = t; }
                flips++;
            }
            if (flips > flipsMax) flipsMax = flips;
            checksum += (permutations & 1) == 0 ? flips : -flips;
            while (true)
            {
                if (r == N) return checksum * 100L + flipsMax;
                int first = perm1[0];
                for (int i = 0; i < r; i++) perm1[i] = perm1[i + 1];
                perm1[r] = first;
                if (--count[r] > 0) break;
                r++;
            }
            permutations++;
        }
    }

    public static long bench_sieve()
    {
        const int N = 1000000;
        var composite = new bool[N];
        int primes = 0;
        for (int i = 2; i < N; i++)
        {
            if (composite[i]) continue;
            primes++;
            for (int j = i + i; j < N; j += i) composite[j] = true;
        }
        return primes;
    }

    public static long bench_matrix_jagged()
    {
        const int N = 120;
        var a = new double[N][]; var b = new double[N][]; var c = new double[N][];
        for (int i = 0; i < N; i++)
        {
            a[i] = new double[N]; b[i] = new double[N]; c[i] = new double[N];
            for (int j = 0; j < N; j++) { a[i][j] = i + j; b[i][j] = i - j; }
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
            {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
        return (long)c[N / 2][N / 3];
    }

    public static long bench_collatz()
    {
        long longest = 0, best = 0;
        for (int start = 1; start < 30000; start++)
        {
            long n = start, length = 0;
            while (n != 1) { n = n % 2 == 0 ? n / 2 : 3 * n + 1; length++; }
            if (length > longest) { longest = length; best = start; }
        }
        return best * 1000 + longest;
    }

    public static long bench_crc32()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int k = 0; k < 8; k++) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        var data = new byte[500000];
        for (int i = 0; i < data.Length; i++) data[i] = (byte)(i * 7);
        uint crc = 0xFFFFFFFFu;
        for (int pass = 0; pass < 4; pass++)
            foreach (byte b in data) crc = table[(crc ^ b) & 0xFF] ^ (crc >> 8);
        return crc;
    }

    public static long bench_mixing()
    {
        ulong a = 0x9E3779B97F4A7C15UL, sum = 0;
        for (int i = 0; i < 3000000; i++)
        {
            a ^= a << 13; a ^= a >> 7; a ^= a << 17;
            sum += (a << 11 | a >> 53) * 0xBF58476D1CE4E5B9UL;
        }
        return (long)sum;
    }

    public static long bench_division()
    {
        long sum = 0;
        for (int i = 1; i < 2000000; i++) sum += i / 7 + i % 10 + (i * 31L) / 1000 + (uint)i % 60u + i / 8;
        return sum;
    }

    static int Gcd(int a, int b) { while (b != 0) { int t = a % b; a = b; b = t; } return a; }

    public static long bench_gcd()
    {
        long sum = 0;
        for (int i = 1; i < 500; i++)
            for (int j = 1; j < 500; j++) sum += Gcd(i, j);
        return sum;
    }

    public static long bench_fft()
    {
        const int N = 16384;
        double[] re = new double[N], im = new double[N];
        for (int i = 0; i < N; i++) re[i] = i % 17 - 8;
        for (int i = 1, j = 0; i < N; i++)
        {
            int bit = N >> 1;
            for (; (j & bit) != 0; bit >>= 1) j ^= bit;
            j ^= bit;
            if (i < j) { double t = re[i]; re[i] = re[j]; re[j] = t; }
        }
        for (int length = 2; length <= N; length <<= 1)
        {
            double angle = 2 * Math.PI / length, wr = Math.Cos(angle), wi = Math.Sin(angle);
            for (int i = 0; i < N; i += length)
            {
                double cr = 1, ci = 0;
                for (int k = i; k < i + length / 2; k++)
                {
                    int m = k + length / 2;
                    double xr = re[m] * cr - im[m] * ci, xi = re[m] * ci + im[m] * cr;
                    re[m] = re[k] - xr; im[m] = im[k] - xi;
                    re[k] += xr; im[k] += xi;
                    double t = cr * wr - ci * wi; ci = cr * wi + ci * wr; cr = t;
                }
            }
        }
        return (long)(re[5] * 1000);
    }

    public static long bench_popcount()
    {
        long bits = 0;
        for (uint i = 0; i < 2000000; i++)
        {
            uint v = i * 2654435761u;
            v = v - ((v >> 1) & 0x55555555u);
            v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
            bits += ((v + (v >> 4) & 0xF0F0F0Fu) * 0x1010101u) >> 24;
        }
        return bits;
    }

    public static long bench_checked_sum()
    {
        long sum = 0;
        int small = 0;
        for (int i = 0; i < 3000000; i++)
            checked { sum += i * 3; small = (int)((uint)(small + (i & 15)) & 0xFFFF); }
        return sum + small;
    }
}
