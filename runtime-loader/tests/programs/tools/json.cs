// Newtonsoft.Json as people use it.
using System;
using System.Collections.Generic;
using Newtonsoft.Json;
using Newtonsoft.Json.Converters;
using Newtonsoft.Json.Linq;

public enum Colour { Red, Green }

public class Item
{
    public string Name { get; set; }
    public int Count;
    public double Price { get; set; }
    public DateTime When;
    [JsonProperty("c"), JsonConverter(typeof(StringEnumConverter))] public Colour Colour;
    public List<string> Tags = new List<string>();
    public Dictionary<string, int> Sizes;
    public int? Maybe;
    [JsonIgnore] public int Hidden = 3;
}

public class Order
{
    public Item[] Items;
    public Guid Id;
    public object Any;
    public decimal Total = 1.5m;
    public byte[] Bytes = { 1, 2, 3 };
    public TimeSpan Time = TimeSpan.FromMinutes(3);
}

class Json
{
    static void Main()
    {
        var item = new Item {
            Name = "a\"b\u00fc", Count = 3, Price = 1.25, When = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc), Colour = Colour.Green,
            Tags = { "x", "y" }, Sizes = new Dictionary<string, int> { { "k", 1 } }
        };
        var order = new Order { Items = new[] { item, new Item() }, Any = new { q = 1, w = "z" } };
        string text = JsonConvert.SerializeObject(order, Formatting.Indented);
        Console.WriteLine(text);

        var back = JsonConvert.DeserializeObject<Order>(text);
        Console.WriteLine("{0} {1} {2} {3}", back.Items[0].Name, back.Items[0].Sizes["k"], back.Items[0].Colour, back.Items[1].Tags.Count);
        Console.WriteLine("{0} {1} {2} {3}", back.Any.GetType(), back.Total, back.Bytes.Length, back.Time);
        Console.WriteLine(JsonConvert.SerializeObject(back) == JsonConvert.SerializeObject(order));

        var tree = JObject.Parse("{\"a\":[1,2,{\"b\":null,\"c\":1.5e3}],\"d\":\"2012-03-04T05:06:07Z\"}");
        Console.WriteLine("{0} {1} {2}", tree["a"][2]["c"], tree["d"].Type, (int)tree["a"][1]);
        Console.WriteLine(tree.ToString(Formatting.None));
        foreach (var token in tree.SelectToken("a")) Console.WriteLine(token.Type);
        dynamic loose = JsonConvert.DeserializeObject("{\"x\":{\"y\":7}}");
        Console.WriteLine((string)loose.x.y.ToString());

        try { JsonConvert.DeserializeObject<Order>("{\"Items\":5}"); }
        catch (Exception e) { Console.WriteLine("{0}: {1}", e.GetType(), e.Message); }
        try { JObject.Parse("{"); }
        catch (Exception e) { Console.WriteLine("{0}: {1}", e.GetType(), e.Message); }
    }
}
