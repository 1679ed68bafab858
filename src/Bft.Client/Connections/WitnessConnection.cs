using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Wire;
using Bft.Wire.Services;
using Grpc.Net.Client;

namespace Bft.Client;

/// <summary>The way to one witness: a connection for publishing and one for receiving, so that neither waits behind the other's bytes.</summary>
internal sealed class WitnessConnection : IDisposable
{
    /// <summary>What a witness may send ahead per call: a batch of the usual size is on its way while another is read.</summary>
    private const int WindowBytes = 4 * 1024 * 1024;

    private readonly WitnessEntry _entry;
    private readonly Action<ClientNotice> _notify;
    private readonly GrpcChannel _publishing;
    private readonly GrpcChannel _receiving;
    private volatile StrongBox<Digest> _seen;

    public WitnessConnection(WitnessEntry entry, ClusterLimits limits, TimeSpan connectTimeout, Action<ClientNotice> notify)
    {
        _entry = entry;
        _seen = new StrongBox<Digest>(entry.Pin);
        _notify = notify;
        ConnectTimeout = connectTimeout;
        _publishing = Channel(limits);
        _receiving = Channel(limits);
        Publishing = new WitnessClient(_publishing);
        Receiving = new WitnessClient(_receiving);
    }

    public WitnessIndex Witness => _entry.Index;

    public TimeSpan ConnectTimeout { get; }

    /// <summary>Of the TLS key that the witness showed last. One that has replaced its key keeps no connection under the old one.</summary>
    public Digest Pin => _seen.Value;

    public WitnessClient Publishing { get; }

    public WitnessClient Receiving { get; }

    public void Dispose()
    {
        _publishing.Dispose();
        _receiving.Dispose();
    }

    private GrpcChannel Channel(ClusterLimits limits)
    {
        SocketsHttpHandler handler = new()
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = WindowBytes,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => IsPinned(certificate),
            },
        };
        return GrpcChannel.ForAddress(_entry.Address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MessageBytesMax(limits),
        });
    }

    /// <summary>Names, dates and issuers say nothing here: the key is what cluster.yaml names.</summary>
    private bool IsPinned(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 shown)
        {
            return false;
        }

        Digest seen = new(SHA256.HashData(shown.PublicKey.ExportSubjectPublicKeyInfo()));
        if (!_entry.Accepts(seen))
        {
            _notify(new WrongPin(Witness, _entry.Pin, seen));
            return false;
        }

        _seen = new StrongBox<Digest>(seen);
        return true;
    }
}
