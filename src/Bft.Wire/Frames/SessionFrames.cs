using System.Buffers;
using Bft.Crypto;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Opens a session: the client's first message on each duplex call.</summary>
/// <param name="Client">Who the client is.</param>
/// <param name="Signature">Over the <see cref="Bft.Protocol.Verification.HelloStatement"/> with the nonce of the challenge.</param>
public sealed record HelloFrame(PublicKey Client, Signature Signature) : IPublishRequest, ISubscribeRequest, IFetchRequest, IEvidenceRequest, IStatusRequest, IExchangeRequest
{
    FrameKind IFrame.Kind => FrameKind.Hello;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Key(1, Client);
        writer.Signature(2, Signature);
    }

    internal static HelloFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> client = default, signature = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref client) || reader.Bytes(2, ref signature);
        }

        return reader.IsWhole && client.TryKey(out PublicKey key) && signature.TrySignature(out Signature value) ? new HelloFrame(key, value) : null;
    }
}

/// <summary>The server's first message on each duplex call.</summary>
/// <param name="Nonce">32 random bytes, for this call only.</param>
public sealed record ChallengeFrame(Digest Nonce) : IPublishReply, ISubscribeReply, IFetchReply, IEvidenceReply, IStatusReply, IExchangeReply
{
    FrameKind IFrame.Kind => FrameKind.Challenge;

    void IFrame.Write(ref FieldWriter writer) => writer.Digest(1, Nonce);

    internal static ChallengeFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> nonce = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref nonce);
        }

        return reader.IsWhole && nonce.TryDigest(out Digest value) ? new ChallengeFrame(value) : null;
    }
}

/// <summary>The session is open.</summary>
public sealed record WelcomeFrame : IPublishReply, ISubscribeReply, IFetchReply, IEvidenceReply, IStatusReply, IExchangeReply
{
    private WelcomeFrame()
    {
    }

    public static WelcomeFrame Instance { get; } = new();

    FrameKind IFrame.Kind => FrameKind.Welcome;

    void IFrame.Write(ref FieldWriter writer)
    {
    }

    internal static WelcomeFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
        }

        return reader.IsWhole ? Instance : null;
    }
}
