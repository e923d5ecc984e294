// Fails in many ways and prints each failure as it would be sent: group, how, type, message and stack, in base64.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;

namespace Shop
{
    public class StockException : Exception
    {
        public StockException(string message, Exception inner = null) : base(message, inner) { }
    }

    public class Stock<T>
    {
        // EDIT
        public void Take(string sku, int count)
        {
            if (count > 3) throw new StockException("only 3 of " + sku + " left,\nnot " + count);
        }

        public async Task TakeAsync(string sku, int count)
        {
            await Task.Delay(1);
            Take(sku, count);
        }

        public async Task Reserve(string sku)
        {
            try { await Find(sku); }
            catch (KeyNotFoundException error) { throw new StockException("can't reserve " + sku, error); }
        }

        async Task<int> Find(string sku)
        {
            await Task.Delay(1);
            return new Dictionary<string, int>()[sku];
        }

        public int Share(int[] counts) { return counts.Select(count => 100 / count).ToList().Sum(); }

        public int Deep(int depth)
        {
            if (depth == 0) throw new InvalidOperationException("bottom of the shelf");
            return Deep(depth - 1) + 1;
        }

        public int Parsed(string text) { return int.Parse(text); }
    }

    public static class Program
    {
        static void Failing(string group, Action run)
        {
            try { run(); }
            catch (Exception error)
            {
                var parts = new[] { error.GetType().FullName, error.Message, error.ToString() };
                var coded = parts.Select(part => Convert.ToBase64String(Encoding.UTF8.GetBytes(part)));
                Console.WriteLine("SENT\t" + group + "\tspan event\t" + string.Join("\t", coded));
            }
        }

        public static void Main(string[] args)
        {
            var seed = int.Parse(args[0]);
            var stock = new Stock<string>();
            Failing("dotnet-take", () => stock.Take("tea-" + seed, 4 + seed));
            Failing("dotnet-take", () => stock.TakeAsync("milk-" + seed, 9 + seed).GetAwaiter().GetResult());
            Failing("dotnet-reserve", () => stock.Reserve("tea-" + seed).GetAwaiter().GetResult());
            Failing("dotnet-reserve-waited", () => stock.Reserve("tea-" + seed).Wait());
            Failing("dotnet-share", () => stock.Share(new[] { 1, 0, seed }));
            Failing("dotnet-deep", () => stock.Deep(seed));
            Failing("dotnet-deep", () => stock.Deep(seed + 30));
            Failing("dotnet-parsed", () => stock.Parsed("x" + seed));
            Failing("dotnet-all", () => Task.WaitAll(
                Task.Run(() => stock.Take("tea-" + seed, 7)), Task.Run(() => stock.Parsed("y" + seed))));
        }
    }
}
