using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;
using Grpc.Core;

namespace Bft.Grpc.Tests.Substitute;

/// <summary>For methods that no generated stub has.</summary>
internal static class NoteMarshaller
{
    public static Marshaller<Note> Instance { get; } = Marshallers.Create(note => note.ToByteArray(), Note.Parser.ParseFrom);
}
