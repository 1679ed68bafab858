using System.Globalization;
using System.Text;

namespace Grpc.Wire;

/// <summary>The percent-encoding of <c>grpc-message</c>: UTF-8, where bytes outside of printable ASCII and the percent sign become %XX.</summary>
internal static class StatusMessage
{
    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        StringBuilder encoded = new(text.Length + 16);
        foreach (byte octet in Encoding.UTF8.GetBytes(text))
        {
            if (octet is >= 0x20 and <= 0x7E and not (byte)'%')
            {
                encoded.Append((char)octet);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
            }
        }

        return encoded.ToString();
    }

    /// <summary>Never fails: the specification wants what cannot be decoded to be kept as it came.</summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        byte[] octets = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < octets.Length; i++)
        {
            if (octets[i] == '%' && i + 2 < octets.Length
                && byte.TryParse(octets.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte octet))
            {
                octets[length++] = octet;
                i += 2;
            }
            else
            {
                octets[length++] = octets[i];
            }
        }

        return Encoding.UTF8.GetString(octets, 0, length);
    }
}
