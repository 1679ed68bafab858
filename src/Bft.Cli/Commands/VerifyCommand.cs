using System.Buffers;
using System.CommandLine;
using System.IO.Pipelines;
using Bft.Cli.Clusters;
using Bft.Cli.Proofs;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;

namespace Bft.Cli.Commands;

/// <summary>`bft verify`: does this receipt or this evidence hold? Offline, with nothing but cluster.yaml.</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string> Proof = new("FILE") { Description = "A receipt file (publish --receipt) or evidence; - for standard input." };

    private static readonly Option<string?> Payload = new("--payload", "-p")
    {
        HelpName = "FILE",
        Description = "Demand that the messages, one after the other, are exactly the bytes of this file.",
    };

    public static Command Create(Interruption interruption)
    {
        Command command = new("verify", "Check a receipt or evidence offline, with nothing but cluster.yaml.") { Proof, Options.Cluster, Payload };
        HelpWithExamples.Add(command, """
            Examples:
              bft verify news.receipt --cluster cluster/cluster.yaml
              bft verify rates.receipt --cluster cluster/cluster.yaml --payload rates.log
              bft verify 0001.evidence --cluster cluster/cluster.yaml
              zcat news.receipt.gz | bft verify - --cluster cluster/cluster.yaml

            A receipt proves that a quorum of witnesses took these messages, not that a given
            receiver read them. Evidence that holds exits with 0, what does not hold with 10.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        ClusterFile cluster = ClusterFolder.Of(session).Load();
        string path = session.Get(Proof);
        try
        {
            // A pipe has no length, and is read once.
            PipeReader file = PipeReader.Create(path == "-" ? Console.OpenStandardInput() : File.OpenRead(path), new StreamPipeReaderOptions(bufferSize: 64 * 1024));
            await using Stream receipts = file.AsStream();
            ReadResult begin = await file.ReadAtLeastAsync(Evidence.LengthMax + 1, session.Interrupted);
            Evidence? evidence = EvidenceIn(begin.Buffer, cluster);
            file.AdvanceTo(begin.Buffer.Start);
            return evidence is null ? Verify(session, cluster, receipts) : Verify(session, cluster, evidence);
        }
        catch (CommandException error)
        {
            throw new CommandException(error.Code, $"{path}: {error.Message}");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, error.Message);
        }
    }

    /// <summary>The file as evidence; null when it is none. A receipt's first byte is its length's lowest, so the whole file decides.</summary>
    private static Evidence? EvidenceIn(ReadOnlySequence<byte> file, ClusterFile cluster) =>
        file.Length <= Evidence.LengthMax && Evidence.TryParse(cluster.Genesis.Cluster, file.ToArray(), out Evidence? evidence) ? evidence : null;

    private static ExitCode Verify(Session session, ClusterFile cluster, Evidence evidence)
    {
        if (session.Get(Payload) is not null)
        {
            throw new CommandException(ExitCode.Usage, "this is evidence, which has no payload; leave --payload away.");
        }

        EvidenceVerifier verifier = new(cluster.Committee, Ed25519.Instance);
        if (!verifier.TryVerify(evidence, out VerifiedEvidence? verified, out RejectReason reason))
        {
            throw new CommandException(ExitCode.Invalid, $"the evidence proves nothing: {Reasons.Sentence(reason)}.");
        }

        EvidenceReport.Of(verified, cluster).Show(session, "verified", heldBy: []);
        return ExitCode.Ok;
    }

    private static ExitCode Verify(Session session, ClusterFile cluster, Stream file)
    {
        ReceiptFileReader receipts = new(file);
        ReceiptVerifier verifier = new(cluster.Committee, Ed25519.Instance);
        ReceiptSummary summary = new();
        using PayloadComparison? comparison = session.Get(Payload) is { } payload ? new PayloadComparison(payload) : null;
        while (receipts.Next() is { } receipt)
        {
            session.Interrupted.ThrowIfCancellationRequested();
            if (!verifier.TryVerify(receipt, out VerifiedReceipt? verified, out RejectReason reason))
            {
                throw new CommandException(ExitCode.Invalid, $"receipt {receipts.Count} (at byte {receipts.Offset}) proves nothing: {Reasons.Sentence(reason)}.");
            }

            summary.Add(verified, comparison);
        }

        if (receipts.Count == 0)
        {
            throw new CommandException(ExitCode.Invalid, "the file is empty, so it proves nothing.");
        }

        comparison?.Complete();
        summary.Show(session, cluster);
        return ExitCode.Ok;
    }
}
