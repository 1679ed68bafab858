using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bft.Bench.Running;
using Bft.Cli.Output;
using Bft.Cli.Publishing;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Spectre.Console;

namespace Bft.Cli.Demo;

/// <summary>What the demo does, step by step. Each step checks what it claims; one that cannot fails the demo.</summary>
internal sealed class DemoScript(Session session, DemoCluster demo, string input, bool isKept)
{
    private const int Victim = 2;
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly Topic Rates = new("rates");
    private static readonly Topic Payments = new("payments");

    private readonly DemoSteps _steps = new(session);
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly CancellationToken _token = session.Interrupted;
    private byte[][] _lines = [];
    private string _inputDigest = "";
    private BftClient _desk = null!;
    private Receipt _firstReceipt = null!;
    private StreamId _stream;
    private string _evidencePath = "";

    private double Elapsed => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

    public async Task RunAsync()
    {
        _lines = await ReadLinesAsync();
        _steps.Say("[bold]Certified broadcast[/]: four witnesses, of which one may fail in any way.\n");
        await _steps.DoAsync("Make keys, TLS certificates and cluster.yaml", Make);
        await _steps.DoAsync("Start four witnesses, each a process of its own", StartAsync);
        await using DemoReceiver alice = new(DemoCluster.FirstReceiver, demo.Connect(DemoCluster.FirstReceiver), Rates, _lines.Length);
        await using DemoReceiver bob = new(DemoCluster.SecondReceiver, demo.Connect(DemoCluster.SecondReceiver), Rates, _lines.Length);
        await using Publisher publisher = await demo.Connect(DemoCluster.Publisher).OpenPublisherAsync(Rates, cancellationToken: _token);
        _desk = demo.Connect(DemoCluster.Publisher, Path.Combine(demo.Folder.Root, "observer"));
        await _steps.DoAsync("Publish the first line and wait for its certificate", () => PublishFirstAsync(publisher));
        await _steps.DoAsync($"Publish the others, and kill witness {Victim} with SIGKILL half-way", () => PublishRestAsync(publisher));
        await _steps.DoAsync("Two receivers verify every certificate, and got the same", () => ReceiveAsync(alice, bob));
        await _steps.DoAsync($"Start witness {Victim} again: it catches up on what it missed", CatchUpAsync);
        await _steps.DoAsync("Forge, and be refused", ForgeAsync);
        await _steps.DoAsync("Sign two batches for one slot, and be caught", EquivocateAsync);
        await _steps.DoAsync("Check the evidence offline, as anybody can", VerifyEvidenceAsync);
        End(alice);
    }

    private static string N(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Short(string digest) => digest[..16] + "…";

    private async Task<byte[][]> ReadLinesAsync()
    {
        await using FileStream file = File.OpenRead(input);
        LineReader reader = new(file, int.MaxValue);
        List<byte[]> lines = [];
        do
        {
            while (reader.TryNext(out ReadOnlyMemory<byte> line))
            {
                lines.Add(line.ToArray());
            }
        }
        while (await reader.FillAsync(_token));

        file.Position = 0;
        _inputDigest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, _token));
        return [.. lines];
    }

    private Task<string[]> Make()
    {
        demo.Make();
        return Task.FromResult<string[]>([$"{demo.Folder.ClusterFilePath}, cluster {Short(demo.File.Genesis.Cluster.ToString())}"]);
    }

    private async Task<string[]> StartAsync()
    {
        await demo.StartAsync(_token);
        return
        [
            $"processes {string.Join(' ', demo.Witnesses.Select(witness => witness!.Id))}, ports {string.Join(' ', demo.File.Witnesses.Select(witness => witness.Address.Port))}",
            "TLS 1.3 with pinned keys, every acknowledgement behind an fdatasync",
        ];
    }

    private async Task<string[]> PublishFirstAsync(Publisher publisher)
    {
        PublishedMessage first = await publisher.PublishAsync(new Message(_lines[0]), _token);
        _firstReceipt = first.ToReceipt();
        _stream = first.Batch.Header.Id;
        return [string.Create(CultureInfo.InvariantCulture, $"certified by {first.Batch.Certificate.WitnessCount} of {DemoCluster.Count} witnesses; ready {Elapsed:0.0} s after the start")];
    }

    private async Task<string[]> PublishRestAsync(Publisher publisher)
    {
        long begun = Stopwatch.GetTimestamp();
        int half = _lines.Length / 2;
        for (int i = 1; i < _lines.Length; i++)
        {
            if (i == half)
            {
                // Batches are in flight: nobody waits for them first.
                await demo.KillAsync(Victim);
            }

            await publisher.SendAsync(new Message(_lines[i]), _token);
        }

        if (demo.Witnesses[Victim] is not null)
        {
            await demo.KillAsync(Victim);
        }

        await publisher.FlushAsync(_token);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        long bytes = _lines.Sum(line => (long)line.Length);
        return
        [
            $"{N(_lines.Length)} lines ({N(bytes)} bytes) of {Path.GetFileName(input)}, all certified",
            $"killed before line {N(half + 1)}; {N((long)(_lines.Length / seconds))} lines/s all the same, for there is no leader",
        ];
    }

    private async Task<string[]> ReceiveAsync(DemoReceiver alice, DemoReceiver bob)
    {
        await Task.WhenAll(alice.WhenCompleteAsync(_token), bob.WhenCompleteAsync(_token)).WaitAsync(CatchUpLimit, _token);
        foreach (DemoReceiver receiver in new[] { alice, bob })
        {
            if (receiver.Count != _lines.Length || receiver.Digest != _inputDigest)
            {
                throw new InvalidOperationException($"{receiver.Name} got {receiver.Count} messages with SHA-256 {receiver.Digest}, but the input has {_lines.Length} lines with {_inputDigest}.");
            }
        }

        return
        [
            $"alice  {N(alice.Count)} messages  SHA-256 {Short(alice.Digest)}",
            $"bob    {N(bob.Count)} messages  SHA-256 {Short(bob.Digest)}",
            $"input  {N(_lines.Length)} lines     SHA-256 {Short(_inputDigest)}",
        ];
    }

    private async Task<string[]> CatchUpAsync()
    {
        ulong goal = (await TipsAsync()).Max() ?? throw new InvalidOperationException("no witness has a tip.");
        await demo.RestartAsync(Victim, _token);
        long begun = Stopwatch.GetTimestamp();
        ulong? last = null;
        while (Stopwatch.GetElapsedTime(begun) < CatchUpLimit)
        {
            last = (await TipsAsync())[Victim];
            if (last == goal)
            {
                return [string.Create(CultureInfo.InvariantCulture, $"it was down for the second half; its stored tip is batch {goal} now, as at the others")];
            }

            await Task.Delay(Poll, _token);
        }

        throw new InvalidOperationException($"its stored tip is {last?.ToString(CultureInfo.InvariantCulture) ?? "none"}, the others' is {goal}.");
    }

    /// <summary>The stored tip of the published stream at each witness.</summary>
    private async Task<ulong?[]> TipsAsync() =>
        [.. (await _desk.GetStatusAsync(_token)).Select(answer => answer.Status?.Streams.FirstOrDefault(stream => stream.Stream == _stream)?.Tip?.Value)];

    private async Task<string[]> ForgeAsync() =>
    [
        "one byte of a certified message changed; refused by the receivers' check:",
        $"  {Forgeries.ChangeMessage(demo.File, _firstReceipt, _lines[0])}",
        "one byte of a witness's signature changed; refused by the receivers' check:",
        $"  {Forgeries.ChangeSignature(demo.File, _firstReceipt)}",
        "published under a key that nobody knows; refused by the witnesses:",
        $"  {await Forgeries.PublishAsStrangerAsync(demo, Rates, _token)}",
    ];

    private async Task<string[]> EquivocateAsync()
    {
        Evidence evidence = await DoubleSigning.CommitAsync(demo, Payments, _token);
        _evidencePath = Path.Combine(demo.Folder.Root, "mallory.evidence");
        await File.WriteAllBytesAsync(_evidencePath, evidence.Encode(), _token);
        int holding = await CountEvidenceAsync();
        return
        [
            "mallory copied her journal: \"pay Bob\" and \"pay Carol\", one slot, both signed",
            $"{holding} of {DemoCluster.Count} witnesses hold the proof; mallory.evidence has both ({N(new FileInfo(_evidencePath).Length)} bytes)",
        ];
    }

    /// <summary>Witnesses tell one another of evidence: soon all of them hold it.</summary>
    private async Task<int> CountEvidenceAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            int holding = (await _desk.GetStatusAsync(_token)).Count(answer => answer.Status is StatusFrame { EvidenceCount: > 0 });
            if (holding == DemoCluster.Count || Stopwatch.GetElapsedTime(begun) > CatchUpLimit / 6)
            {
                return holding > 0 ? holding : throw new InvalidOperationException("no witness holds the evidence.");
            }

            await Task.Delay(Poll, _token);
        }
    }

    private async Task<string[]> VerifyEvidenceAsync()
    {
        using Process verify = Process.Start(BftProgram.Start("verify", _evidencePath, "--cluster", demo.Folder.ClusterFilePath))!;
        string output = await verify.StandardOutput.ReadToEndAsync(_token);
        string error = await verify.StandardError.ReadToEndAsync(_token);
        await verify.WaitForExitAsync(_token);
        return verify.ExitCode == 0
            ? ["bft verify mallory.evidence --cluster cluster.yaml", .. output.Split('\n').Take(2)]
            : throw new InvalidOperationException($"`bft verify` ended with {verify.ExitCode}: {error}");
    }

    private void End(DemoReceiver receiver)
    {
        if (session.IsJson)
        {
            session.Json.Write("demo", fields =>
            {
                fields.WriteNumber("messages", receiver.Count);
                fields.WriteString("sha256", receiver.Digest);
                fields.WriteNumber("seconds", Math.Round(Elapsed, 3));
                if (isKept)
                {
                    fields.WriteString("folder", demo.Folder.Root);
                }
            });
            return;
        }

        string bft = Screen.Program;
        _steps.Say(string.Create(CultureInfo.InvariantCulture, $"\n[green]✓[/] All as it should be, in {Elapsed:0.0} s. {(isKept ? $"Everything is kept in {demo.Folder.Root.EscapeMarkup()}" : "Nothing is left behind")}.\n"));
        _steps.Say("[bold]A cluster of your own:[/]");
        _steps.Say($"  {bft} init --witnesses 4 --out cluster");
        _steps.Say($"  for i in 0 1 2 3; do {bft} node --cluster cluster/cluster.yaml --index $i & done");
        _steps.Say($"  {bft} publish news --cluster cluster/cluster.yaml --lines README.md --receipt news.receipt");
    }
}
