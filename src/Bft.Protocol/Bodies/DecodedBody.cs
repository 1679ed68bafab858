using Bft.Protocol.Verification;

namespace Bft.Protocol.Bodies;

/// <summary>Why a message of a certified batch cannot be shown. Every reader gets the same error at the same place (R1).</summary>
public enum DecodeError
{
    None = 0,

    /// <summary>The batch's encoding is not one of this version; concerns all its messages.</summary>
    UnknownEncoding,

    /// <summary>The batch's table is not whole; concerns all its messages.</summary>
    BadTable,

    /// <summary>The message's chunk does not hold what its table entry says.</summary>
    BadChunk,
}

/// <summary>A message at its position, or the error that stands there.</summary>
/// <param name="Message">Refers to the body's memory; default when there is an error.</param>
/// <param name="Error">None when the message is whole.</param>
public readonly record struct DecodedMessage(Message Message, DecodeError Error);

/// <summary>Reads bodies. Total: a body that no publisher should have made gives errors, never an exception.</summary>
public static class DecodedBody
{
    /// <summary>The messages of a batch in the order in which they were published; <see cref="BodyDescription.MessageCount"/> of them.</summary>
    public static DecodedMessage[] Read(in BodyDescription description, ReadOnlyMemory<byte> body, int tableBytesMax)
    {
        DecodedMessage[] messages = new DecodedMessage[description.MessageCount];
        if (description.Encoding != BodyEncoding.Identity)
        {
            Array.Fill(messages, new DecodedMessage(default, DecodeError.UnknownEncoding));
            return messages;
        }

        if (!ChunkTable.TryRead(body.Span, description.MessageCount, tableBytesMax, out ChunkTable? table))
        {
            Array.Fill(messages, new DecodedMessage(default, DecodeError.BadTable));
            return messages;
        }

        foreach (ChunkEntry entry in table.Entries)
        {
            bool fits = entry.Length <= body.Length - entry.Offset;
            ReadChunk(entry, fits ? body.Slice(entry.Offset, entry.Length) : default, messages);
        }

        return messages;
    }

    /// <summary>Puts a chunk's messages at their positions; all of them errors when the chunk is not what its entry says.</summary>
    public static void ReadChunk(ChunkEntry entry, ReadOnlyMemory<byte> chunk, Span<DecodedMessage> messages)
    {
        int offset = 0;
        bool whole = true;
        foreach (PositionRun run in entry.Runs)
        {
            for (int i = 0; i < run.Count && whole; i++)
            {
                whole = MessageRecord.TryRead(chunk, ref offset, entry.Subject, out Message message);
                messages[run.First + i] = new DecodedMessage(message, DecodeError.None);
            }
        }

        if (whole && offset == chunk.Length)
        {
            return;
        }

        foreach (PositionRun run in entry.Runs)
        {
            messages.Slice(run.First, run.Count).Fill(new DecodedMessage(default, DecodeError.BadChunk));
        }
    }
}
