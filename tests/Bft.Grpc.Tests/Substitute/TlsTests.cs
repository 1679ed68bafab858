using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bft.Grpc.Tests.Contracts;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Bft.Grpc.Tests.Substitute;

public sealed class TlsTests : IAsyncLifetime
{
    private readonly X509Certificate2 _server = SelfSigned("server");
    private readonly X509Certificate2 _client = SelfSigned("client");
    private EchoHost _host = null!;

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync(listen: listen =>
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = _server;
            https.SslProtocols = SslProtocols.Tls13;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.AllowAnyClientCertificate();
        });
    });

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _server.Dispose();
        _client.Dispose();
    }

    [Fact]
    public async Task Both_sides_know_each_other_by_key_under_TLS_1_3()
    {
        (SslProtocols? Protocol, string? Thumbprint) seen = default;
        _host.Handlers.Unary = (request, context) =>
        {
            IFeatureCollection features = context.GetHttpContext().Features;
            seen = (features.Get<ITlsHandshakeFeature>()?.Protocol, context.GetHttpContext().Connection.ClientCertificate?.Thumbprint);
            return Task.FromResult(request);
        };

        using GrpcChannel channel = GrpcChannel.ForAddress(_host.Address, new GrpcChannelOptions { HttpHandler = Handler(_server), DisposeHttpClient = true });
        Note response = await new Echo.EchoClient(channel).UnaryAsync(new Note { Text = "x" }).ResponseAsync.WaitAsync(EchoHost.Patience);

        Assert.Equal("x", response.Text);
        Assert.Equal((SslProtocols.Tls13, _client.Thumbprint), seen);
    }

    [Fact]
    public async Task A_server_with_another_key_is_unavailable()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(_host.Address, new GrpcChannelOptions { HttpHandler = Handler(_client), DisposeHttpClient = true });

        Assert.Equal(StatusCode.Unavailable, (await EchoHost.FailureOf(new Echo.EchoClient(channel).UnaryAsync(new Note()).ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task A_call_over_HTTP_1_is_told_to_upgrade()
    {
        using SocketsHttpHandler handler = Handler(_server);
        using HttpClient http = new(handler);
        using ByteArrayContent content = new(RawCall.Frame([])) { Headers = { ContentType = new("application/grpc") } };

        using HttpResponseMessage response = await http.PostAsync(new Uri(_host.Address, "/bft.test.v1.Echo/Unary"), content);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private SocketsHttpHandler Handler(X509Certificate2 pinned) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificates = [_client],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => _client,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is X509Certificate2 presented && presented.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(pinned.PublicKey.ExportSubjectPublicKeyInfo()),
        },
    };
}
