using System.Buffers;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>What a witness does. Numbers are the wire's.</summary>
public enum WitnessState
{
    Unspecified = 0,

    /// <summary>Replays, or waits for its peers' answers (W9); does not ack.</summary>
    Recovering = 1,

    Serving = 2,

    /// <summary>Lost its memory (W9): serves, and never acks again under its key.</summary>
    NotAcking = 3,

    /// <summary>Stopped signing; an operator is needed.</summary>
    Faulted = 4,
}

/// <summary>Another witness, as this one sees it.</summary>
/// <param name="Witness">Which one.</param>
/// <param name="IsConnected">A call to it is open.</param>
/// <param name="LastHeardMs">Since anything came from it; 0 when nothing ever did. Unit: milliseconds.</param>
public readonly record struct PeerStatus(WitnessIndex Witness, bool IsConnected, ulong LastHeardMs);

/// <summary>A stream that a witness stores.</summary>
/// <param name="Stream">Its id.</param>
/// <param name="Topic">Where it belongs.</param>
/// <param name="Publisher">Whose it is.</param>
/// <param name="Incarnation">Of which run.</param>
/// <param name="Tip">The stored tip; null when nothing is.</param>
/// <param name="Floor">The lowest slot whose body is kept.</param>
public sealed record StreamStatus(StreamId Stream, Topic Topic, PublicKey Publisher, Incarnation Incarnation, Sequence? Tip, Sequence Floor);

/// <summary>What a witness's process has done since it began.</summary>
/// <param name="Signatures">Made.</param>
/// <param name="Verifications">Of signatures, good ones and bad ones.</param>
/// <param name="Flushes">Of files (fdatasync).</param>
/// <param name="PauseMicroseconds">For which garbage collection held all threads.</param>
/// <param name="AllocatedBytes">On the garbage collector's heap, about.</param>
public readonly record struct WorkCounts(long Signatures, long Verifications, long Flushes, long PauseMicroseconds, long AllocatedBytes);

/// <summary>A witness's health, for operators.</summary>
/// <param name="Witness">Its index.</param>
/// <param name="State">What it does.</param>
/// <param name="Text">For people; cut at <see cref="FrameLimits.TextBytesMax"/> when it is sent.</param>
public sealed record StatusFrame(WitnessIndex Witness, WitnessState State, string Text = "") : IStatusReply
{
    public Run Run { get; init; }

    /// <summary>The last durable group commit.</summary>
    public Mark Mark { get; init; }

    /// <summary>When the process started. Unit: milliseconds since 1970.</summary>
    public long StartedUnixMs { get; init; }

    public long JournalBytes { get; init; }

    public long EvidenceCount { get; init; }

    /// <summary>Stored records that were found damaged and are not repaired yet.</summary>
    public long DamagedCount { get; init; }

    /// <summary>Stored records that were damaged and came again from a peer, since the start.</summary>
    public long RepairedCount { get; init; }

    /// <summary>What the process has done since it began, for those who measure.</summary>
    public WorkCounts Work { get; init; }

    /// <summary>Streams stored, listed or not.</summary>
    public long StreamCount { get; init; }

    /// <summary>At most <see cref="FrameLimits.StatusPeersMax"/>.</summary>
    public IReadOnlyList<PeerStatus> Peers { get; init; } = [];

    /// <summary>At most <see cref="FrameLimits.StatusStreamsMax"/>.</summary>
    public IReadOnlyList<StreamStatus> Streams { get; init; } = [];

    /// <summary>There are more streams than are listed.</summary>
    public bool IsStreamsTruncated { get; init; }

    FrameKind IFrame.Kind => FrameKind.Status;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Number(1, (int)State);
        writer.Text(2, Text);
        writer.Number(3, Witness.Value);
        writer.Number(4, Run.Value);
        writer.Number(5, Mark.Value);
        writer.Number(6, (ulong)StartedUnixMs);
        writer.Number(7, (ulong)JournalBytes);
        writer.Number(8, (ulong)EvidenceCount);
        writer.Number(9, (ulong)StreamCount);
        for (int i = 0; i < Peers.Count; i++)
        {
            writer.Message(10, new PeerContent(Peers[i]));
        }

        for (int i = 0; i < Streams.Count; i++)
        {
            writer.Message(11, new StreamContent(Streams[i]));
        }

        writer.Flag(12, IsStreamsTruncated);
        writer.Number(20, (ulong)DamagedCount);
        writer.Number(21, (ulong)RepairedCount);
        writer.Number(22, (ulong)Work.Signatures);
        writer.Number(23, (ulong)Work.Verifications);
        writer.Number(24, (ulong)Work.Flushes);
        writer.Number(25, (ulong)Work.PauseMicroseconds);
        writer.Number(26, (ulong)Work.AllocatedBytes);
    }

    internal static StatusFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> text = default;
        int state = 0, witness = 0;
        ulong run = 0, mark = 0, started = 0, journal = 0, evidence = 0, streamCount = 0, damaged = 0, repaired = 0, signatures = 0, verifications = 0, flushes = 0, pause = 0, allocated = 0;
        bool truncated = false;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Number(1, ref state) || reader.Bytes(2, ref text) || reader.Number(3, ref witness) || reader.Number(4, ref run)
                || reader.Number(5, ref mark) || reader.Number(6, ref started) || reader.Number(7, ref journal) || reader.Number(8, ref evidence)
                || reader.Number(9, ref streamCount) || reader.Flag(12, ref truncated)
                || reader.Number(20, ref damaged) || reader.Number(21, ref repaired)
                || reader.Number(22, ref signatures) || reader.Number(23, ref verifications) || reader.Number(24, ref flushes) || reader.Number(25, ref pause)
                || reader.Number(26, ref allocated);
        }

        return reader.IsWhole
            && text.TryText(out string words)
            && FieldValues.TryWitness(witness, out WitnessIndex index)
            && Math.Max(Math.Max(started, journal), Math.Max(Math.Max(evidence, streamCount), Math.Max(damaged, repaired))) <= long.MaxValue
            && Math.Max(Math.Max(signatures, verifications), Math.Max(flushes, Math.Max(pause, allocated))) <= long.MaxValue
            && bytes.TryList(10, FrameLimits.StatusPeersMax, 0, PeerContent.TryRead, out PeerStatus[] peers)
            && bytes.TryList(11, FrameLimits.StatusStreamsMax, StreamContent.LengthMin, StreamContent.TryRead, out StreamStatus[] streams)
            ? new StatusFrame(index, (WitnessState)state, words)
            {
                Run = new Run(run),
                Mark = new Mark(mark),
                StartedUnixMs = (long)started,
                JournalBytes = (long)journal,
                EvidenceCount = (long)evidence,
                StreamCount = (long)streamCount,
                DamagedCount = (long)damaged,
                RepairedCount = (long)repaired,
                Work = new WorkCounts((long)signatures, (long)verifications, (long)flushes, (long)pause, (long)allocated),
                Peers = peers,
                Streams = streams,
                IsStreamsTruncated = truncated,
            }
            : null;
    }

    private readonly struct PeerContent(PeerStatus peer) : IContent
    {
        public void Write(ref FieldWriter writer)
        {
            writer.Number(1, peer.Witness.Value);
            writer.Flag(2, peer.IsConnected);
            writer.Number(3, peer.LastHeardMs);
        }

        public static bool TryRead(in ReadOnlySequence<byte> bytes, out PeerStatus peer)
        {
            int witness = 0;
            bool connected = false;
            ulong lastHeard = 0;
            FieldReader reader = new(bytes);
            while (reader.Next())
            {
                _ = reader.Number(1, ref witness) || reader.Flag(2, ref connected) || reader.Number(3, ref lastHeard);
            }

            bool read = reader.IsWhole & FieldValues.TryWitness(witness, out WitnessIndex index);
            peer = new PeerStatus(index, connected, lastHeard);
            return read;
        }
    }

    private readonly struct StreamContent(StreamStatus stream) : IContent
    {
        /// <summary>Tags, lengths and values of the id, the shortest topic, the key and the incarnation.</summary>
        public const int LengthMin = 2 + Digest.Length + 3 + 2 + PublicKey.Length + 2 + Incarnation.Length;

        public void Write(ref FieldWriter writer)
        {
            writer.Digest(1, stream.Stream.Digest);
            writer.Text(2, stream.Topic.Name);
            writer.Key(3, stream.Publisher);
            writer.Incarnation(4, stream.Incarnation);
            if (stream.Tip is { } tip)
            {
                writer.PresentNumber(5, tip.Value);
            }

            writer.Number(6, stream.Floor.Value);
        }

        public static bool TryRead(in ReadOnlySequence<byte> bytes, out StreamStatus stream)
        {
            ReadOnlySequence<byte> id = default, topic = default, publisher = default, incarnation = default;
            ulong? tip = null;
            ulong floor = 0;
            FieldReader reader = new(bytes);
            while (reader.Next())
            {
                _ = reader.Bytes(1, ref id) || reader.Bytes(2, ref topic) || reader.Bytes(3, ref publisher) || reader.Bytes(4, ref incarnation)
                    || reader.Number(5, ref tip) || reader.Number(6, ref floor);
            }

            bool read = reader.IsWhole & id.TryStream(out StreamId streamId) & topic.TryTopic(out Topic name) & publisher.TryKey(out PublicKey key)
                & incarnation.TryIncarnation(out Incarnation number) & FieldValues.TrySequence(tip, out Sequence? tipAt) & Sequence.TryCreate(floor, out Sequence floorAt);
            stream = read ? new StreamStatus(streamId, name, key, number, tipAt, floorAt) : null!;
            return read;
        }
    }
}
