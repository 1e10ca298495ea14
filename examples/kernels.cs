// Numeric kernels: n-body, spectral norm, mandelbrot, fannkuch, sieve, matrix product. Argument: a factor for the sizes.
using System;
using System.Diagnostics;
using System.Globalization;

static class Kernels
{
    sealed class Body { public double X, Y, Z, VX, VY, VZ, Mass; }

    static double NBody(int steps)
    {
        const double Solar = 4 * Math.PI * Math.PI, Days = 365.24;
        var bodies = new[]
        {
            new Body { Mass = Solar },
            new Body { X = 4.84143144246472090, Y = -1.16032004402742839, Z = -0.103622044471123109, VX = 0.00166007664274403694 * Days, VY = 0.00769901118419740425 * Days, VZ = -0.0000690460016972063023 * Days, Mass = 0.000954791938424326609 * Solar },
            new Body { X = 8.34336671824457987, Y = 4.12479856412430479, Z = -0.403523417114321381, VX = -0.00276742510726411021 * Days, VY = 0.00499852801234917238 * Days, VZ = 0.0000230417297573763929 * Days, Mass = 0.000285885980666130812 * Solar },
            new Body { X = 12.8943695621391310, Y = -15.1111514016986312, Z = -0.223307578892655734, VX = 0.00296460137564761618 * Days, VY = 0.00237847173959480950 * Days, VZ = -0.0000296589568540237556 * Days, Mass = 0.0000436624404335156298 * Solar },
            new Body { X = 15.3796971148509165, Y = -25.9193146099879641, Z = 0.179258772950371181, VX = 0.00268067772490389322 * Days, VY = 0.00162824170038242295 * Days, VZ = -0.0000951592254519715870 * Days, Mass = 0.0000515138902046611451 * Solar },
        };
        double px = 0, py = 0, pz = 0;
        foreach (Body b in bodies) { px += b.VX * b.Mass; py += b.VY * b.Mass; pz += b.VZ * b.Mass; }
        bodies[0].VX = -px / Solar; bodies[0].VY = -py / Solar; bodies[0].VZ = -pz / Solar;
        for (int step = 0; step < steps; step++)
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
            foreach (Body b in bodies) { b.X += 0.01 * b.VX; b.Y += 0.01 * b.VY; b.Z += 0.01 * b.VZ; }
        }
        double e = 0;
        for (int i = 0; i < bodies.Length; i++)
        {
            Body a = bodies[i];
            e += 0.5 * a.Mass * (a.VX * a.VX + a.VY * a.VY + a.VZ * a.VZ);
            for (int j = i + 1; j < bodies.Length; j++)
            {
                Body b = bodies[j]; double dx = a.X - b.X, dy = a.Y - b.Y, dz = a.Z - b.Z;
                e -= a.Mass * b.Mass / Math.Sqrt(dx * dx + dy * dy + dz * dz);
            }
        }
        return e;
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

    static double SpectralNorm(int n)
    {
        double[] u = new double[n], v = new double[n], t = new double[n];
        for (int i = 0; i < n; i++) u[i] = 1;
        for (int i = 0; i < 10; i++) { Times(u, t, false); Times(t, v, true); Times(v, t, false); Times(t, u, true); }
        double vbv = 0, vv = 0;
        for (int i = 0; i < n; i++) { vbv += u[i] * v[i]; vv += v[i] * v[i]; }
        return Math.Sqrt(vbv / vv);
    }

    static double Mandelbrot(int n)
    {
        int inside = 0;
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++)
            {
                double cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1.0, zr = 0, zi = 0;
                int k = 0;
                for (; k < 50 && zr * zr + zi * zi <= 4; k++) { double t = zr * zr - zi * zi + cr; zi = 2 * zr * zi + ci; zr = t; }
                if (k == 50) inside++;
            }
        return inside;
    }

    static double Fannkuch(int n)
    {
        int[] p = new int[n], q = new int[n], s = new int[n];
        int sign = 1, maxFlips = 0, sum = 0;
        for (int i = 0; i < n; i++) { p[i] = i; q[i] = i; s[i] = i; }
        while (true)
        {
            int q0 = p[0];
            if (q0 != 0)
            {
                for (int i = 1; i < n; i++) q[i] = p[i];
                int flips = 1;
                while (true)
                {
                    int qq = q[q0];
                    if (qq == 0) { sum += sign * flips; if (flips > maxFlips) maxFlips = flips; break; }
                    q[q0] = q0;
                    if (q0 >= 3) { int i = 1, j = q0 - 1; do { int t = q[i]; q[i] = q[j]; q[j] = t; i++; j--; } while (i < j); }
                    q0 = qq; flips++;
                }
            }
            if (sign == 1) { int t = p[0]; p[0] = p[1]; p[1] = t; sign = -1; }
            else
            {
                int t = p[1]; p[1] = p[2]; p[2] = t; sign = 1;
                for (int i = 2; i < n; i++)
                {
                    int sx = s[i];
                    if (sx != 0) { s[i] = sx - 1; break; }
                    if (i == n - 1) return sum * 1000.0 + maxFlips;
                    s[i] = i; t = p[0];
                    for (int j = 0; j <= i; j++) p[j] = p[j + 1];
                    p[i + 1] = t;
                }
            }
        }
    }

    static double Sieve(int n)
    {
        var composite = new bool[n + 1]; int count = 0;
        for (int i = 2; i <= n; i++)
        {
            if (composite[i]) continue;
            count++;
            for (long j = (long)i * i; j <= n; j += i) composite[j] = true;
        }
        return count;
    }

    static double MatrixProduct(int n)
    {
        var a = new double[n, n]; var b = new double[n][]; var c = new double[n, n];
        for (int i = 0; i < n; i++) { b[i] = new double[n]; for (int j = 0; j < n; j++) { a[i, j] = i - j; b[i][j] = i + 2 * j; } }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int k = 0; k < n; k++) sum += a[i, k] * b[k][j];
                c[i, j] = sum;
            }
        double trace = 0;
        for (int i = 0; i < n; i++) trace += c[i, i];
        return trace;
    }

    static void Run(string name, Func<double> kernel, bool times)
    {
        var watch = Stopwatch.StartNew();
        double result = kernel();
        string text = name + " " + result.ToString("R", CultureInfo.InvariantCulture);
        Console.WriteLine(times ? $"{text} {watch.Elapsed.TotalMilliseconds:F1} ms" : text);
    }

    static void Main(string[] args)
    {
        int factor = args.Length > 0 ? int.Parse(args[0]) : 1;
        bool times = args.Length > 0;
        Run("nbody", () => NBody(20000 * factor), times);
        Run("spectralnorm", () => SpectralNorm(100 * (int)Math.Sqrt(factor)), times);
        Run("mandelbrot", () => Mandelbrot(150 * (int)Math.Sqrt(factor)), times);
        Run("fannkuch", () => Fannkuch(factor > 10 ? 10 : 8), times);
        Run("sieve", () => Sieve(1000000 * (factor > 10 ? 10 : 1)), times);
        Run("matrix", () => MatrixProduct(factor > 10 ? 500 : 120), times);
    }
}
