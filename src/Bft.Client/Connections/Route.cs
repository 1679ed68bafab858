using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Services;
using Grpc.Net.Client;

namespace Bft.Client;

/// <summary>One way to one witness, with a connection of its own: TLS to its address, or its Unix socket on this host.</summary>
internal sealed class Route : IDisposable
{
    /// <summary>What a witness may send ahead per call: a batch of the usual size is on its way while another is read.</summary>
    private const int WindowBytes = 4 * 1024 * 1024;

    private static readonly Uri Local = new("http://localhost");

    private readonly WitnessEntry _entry;
    private readonly Action<ClientNotice> _notify;
    private readonly GrpcChannel _channel;
    private volatile StrongBox<Digest> _seen;

    /// <param name="entry">The witness.</param>
    /// <param name="limits">The cluster's.</param>
    /// <param name="connectTimeout">How long one attempt to connect, and to open a session, may take.</param>
    /// <param name="notify">Told what is wrong with the key that it shows.</param>
    /// <param name="socket">On this host; null: by TLS to its address.</param>
    public Route(WitnessEntry entry, ClusterLimits limits, TimeSpan connectTimeout, Action<ClientNotice> notify, LocalSocket? socket = null)
    {
        _entry = entry;
        _notify = notify;
        _seen = new StrongBox<Digest>(socket is null ? entry.Pin : default);
        ConnectTimeout = connectTimeout;
        SocketsHttpHandler handler = new()
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = connectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = WindowBytes,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectCallback = socket is null ? null : (_, cancellationToken) => socket.ConnectAsync(cancellationToken),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => IsPinned(certificate),
            },
        };
        _channel = GrpcChannel.ForAddress(socket is null ? entry.Address : Local, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MessageBytesMax(limits),
        });
        Client = new WitnessClient(_channel);
    }

    public WitnessIndex Witness => _entry.Index;

    public TimeSpan ConnectTimeout { get; }

    /// <summary>Of the TLS key that the witness showed last; zeros on its socket. One that has replaced its key keeps no connection under the old one.</summary>
    public Digest Pin => _seen.Value;

    public WitnessClient Client { get; }

    /// <inheritdoc cref="DialTurns"/>
    public Task<DialTurns.Turn> TakeTurnAsync(CancellationToken cancellationToken) => DialTurns.TakeAsync(_entry.Address, cancellationToken);

    public void Dispose() => _channel.Dispose();

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
