using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>A name (kept in lower case) and its value.</summary>
    public class Entry
    {
        private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

        private readonly string? _text;
        private readonly byte[]? _bytes;

        /// <param name="key">Letters, digits, dot, dash and underscore.</param>
        /// <param name="value">Printable ASCII; the specification allows no other, and a line break would forge headers.</param>
        /// <exception cref="ArgumentException">A character that the specification does not allow, or a key that ends in <c>-bin</c>.</exception>
        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = Normalized(key);
            if (IsBinary)
            {
                throw new ArgumentException("A key that ends in -bin takes bytes.", nameof(key));
            }

            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                throw new ArgumentException("The value of a text entry is printable ASCII; use a key that ends in -bin for anything else.", nameof(value));
            }

            _text = value;
        }

        /// <exception cref="ArgumentException">A character that the specification does not allow, or a key that does not end in <c>-bin</c>.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = Normalized(key);
            if (!IsBinary)
            {
                throw new ArgumentException("Bytes need a key that ends in -bin.", nameof(key));
            }

            _bytes = [.. valueBytes];
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <exception cref="InvalidOperationException">The entry is binary.</exception>
        public string Value => _text ?? throw new InvalidOperationException("A binary entry has no text value.");

        public byte[] ValueBytes => _bytes is null ? Encoding.ASCII.GetBytes(Value) : [.. _bytes];

        public override string ToString() => IsBinary ? $"[Entry: key={Key}, {_bytes!.Length} bytes]" : $"[Entry: key={Key}, value={_text}]";

        internal static bool IsValidKey(string key) => key.Length > 0 && !key.AsSpan().ContainsAnyExcept(KeyCharacters);

        internal bool Has(string key) => string.Equals(Key, key, StringComparison.OrdinalIgnoreCase);

        private static string Normalized(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            key = key.ToLowerInvariant();
            return IsValidKey(key) ? key : throw new ArgumentException($"'{key}' has characters that a metadata key may not have.", nameof(key));
        }
    }
}
