using System.Globalization;
using System.Xml.Linq;

namespace Bft.Sim.Tests.Reports;

public sealed class PictureTests
{
    private static readonly string[] Parties = ["W0", "W1", "P0", "R0"];

    private readonly Trace _trace = new();
    private long _now;

    [Fact]
    public void It_is_well_formed_and_needs_no_other_file()
    {
        string html = Picture.Of(Fork());

        XDocument page = XDocument.Parse(html);
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName is "src" or "href");
        Assert.DoesNotContain("url(http", html, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_of_a_run_is_no_markup()
    {
        Add(TraceKind.Note, 0, "</script><b>&\"'");
        string html = Picture.Of(Result(new Violation("order", "<script>&", _now, [0])));

        XDocument.Parse(html);
        Assert.DoesNotContain("</script><b>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_party_has_a_lane_with_publishers_left_and_receivers_right()
    {
        XDocument page = XDocument.Parse(Picture.Of(Fork()));

        Assert.Equal(["P0publisher", "W0witness", "W1witness", "R0receiver"], ByClass(page, "lanes").Single().Elements().Select(lane => lane.Value));
        Assert.Equal(4, ByClass(Whole(page), "lane").Count());
    }

    [Fact]
    public void What_led_to_the_violation_stands_out()
    {
        XDocument page = XDocument.Parse(Picture.Of(Fork()));

        // The ack for slot 0 that R0's delivery needs is part of it; the tip of another stream, which R0 never saw, is not.
        Assert.Contains(ByClass(page, "ack"), group => IsIn(group, "in"));
        Assert.Contains(ByClass(Whole(page), "cert"), group => group.Name.LocalName == "g" && IsIn(group, "out"));
        Assert.DoesNotContain(ByClass(Part(page), "cert"), group => group.Name.LocalName == "g");
        Assert.All(ByClass(page, "violation"), group => Assert.True(IsIn(group, "in")));
    }

    [Fact]
    public void Crash_loss_and_violation_are_drawn()
    {
        XDocument page = XDocument.Parse(Picture.Of(Fork()));

        Assert.Single(ByClass(Whole(page), "down"), rectangle => rectangle.Name.LocalName == "rect");
        Assert.Single(ByClass(Whole(page), "lost"), group => group.Name.LocalName == "g");
        Assert.Contains("consistency: two batches in A0", ByClass(page, "verdict").Select(element => element.Value));
    }

    [Fact]
    public void A_long_run_is_not_drawn_whole_but_what_led_to_the_violation_is()
    {
        for (int i = 0; i < 5_000; i++)
        {
            Message(2, 0, string.Create(CultureInfo.InvariantCulture, $"batch bbbb/{i}=1234"));
        }

        XDocument page = XDocument.Parse(Picture.Of(Fork()));

        Assert.InRange(ByClass(Part(page), "e").Count(), 5, 100);
        Assert.InRange(ByClass(Whole(page), "e").Count(), 100, 1_000);
    }

    [Fact]
    public void A_slot_has_one_short_name_however_it_is_written()
    {
        SlotNames names = new(["batch aaaa/0=1111", "ack aaaa/0=2222"]);

        Assert.Equal("A0 and A0′ and A3 and A7", names.Shorten("aaaa1234/0=11112222 and aaaa/0=2222 and aaaa/3 and slot 7 of aaaa" + new string('0', 60)));
        Assert.Equal(["aaaa/0", "aaaa/7"], SlotNames.SlotsIn("aaaa1234/0=11112222, slot 7 of aaaa" + new string('0', 60)));
    }

    private static IEnumerable<XElement> ByClass(XContainer page, string name) => page.Descendants().Where(element => IsIn(element, name));

    private static XElement Part(XDocument page) => ById(page, "part");

    private static XElement Whole(XDocument page) => ById(page, "whole");

    private static XElement ById(XDocument page, string id) => page.Descendants().Single(element => (string?)element.Attribute("id") == id);

    private static bool IsIn(XElement element, string name) => ((string?)element.Attribute("class") ?? "").Split(' ').Contains(name, StringComparer.Ordinal);

    private RunResult Fork()
    {
        Add(TraceKind.Broadcast, 2, "P0 #1");
        Message(2, 0, "batch aaaa/0=1111");
        Message(0, 1, "tip cccc/5=9999");
        Message(0, 3, "ack aaaa/0=1111");
        Message(2, 1, "batch aaaa/0=2222", isLost: true);
        Add(TraceKind.Crash, 1, "power cut");
        _now += 500_000_000;
        Add(TraceKind.Restart, 1, "starts again");
        Add(TraceKind.Delivered, 3, "aaaa/0=1111");
        Add(TraceKind.Violation, 3, "two batches in aaaa/0");
        return Result(new Violation("consistency", "two batches in aaaa/0", _now, [3]));
    }

    private void Message(int from, int to, string text, bool isLost = false)
    {
        long number = _trace.Count + 1;
        Add(TraceKind.Send, from, text, to, number);
        _now += isLost ? 0 : 900_000;
        Add(isLost ? TraceKind.Drop : TraceKind.Deliver, to, text, from, number);
    }

    private void Add(TraceKind kind, int party, string text, int other = -1, long message = 0)
    {
        _now += 100_000;
        _trace.Add(new TraceEvent(_trace.Count, _now, kind, party, other, message, text));
    }

    private RunResult Result(Violation violation) => new(new RunRequest(7, new RunPlan()) { Profile = "swarm" })
    {
        Hash = "00",
        Events = _trace.Count,
        Deliveries = 3,
        VirtualTime = _now,
        Violation = violation,
        Parties = Parties,
        Trace = _trace,
    };
}
