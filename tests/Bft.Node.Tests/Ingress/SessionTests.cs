using System.Security.Cryptography;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Ingress;

public sealed class SessionTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly LocalCluster _cluster = new();

    public Task InitializeAsync() => _cluster.StartAsync(0);

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    public static TheoryData<string> Lies => ["pin", "nonce", "witness", "cluster"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_hello_for_another_connection_or_party_is_refused(string lie)
    {
        using TestConnection connection = new(_cluster, 0);
        Digest other = new(RandomNumberGenerator.GetBytes(Digest.Length));
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => connection.OpenAsync(connection.Witness.Status(new CallOptions()), _cluster.Reader, statement => lie switch
        {
            "pin" => statement with { Pin = other },
            "nonce" => statement with { Nonce = other },
            "witness" => statement with { Witness = new Protocol.Membership.WitnessIndex(1) },
            _ => statement with { Cluster = new ClusterId(other) },
        }));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }

    [Fact]
    public async Task A_hello_that_was_good_once_is_refused_on_the_next_call()
    {
        using TestConnection connection = new(_cluster, 0);
        HelloStatement? used = null;
        using (await connection.OpenAsync(connection.Witness.Status(new CallOptions()), _cluster.Reader, statement => (used = statement).Value))
        {
        }

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() =>
            connection.OpenAsync(connection.Witness.Status(new CallOptions()), _cluster.Reader, _ => used!.Value));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }

    [Fact]
    public async Task A_key_that_cluster_yaml_does_not_name_is_refused()
    {
        using TestConnection connection = new(_cluster, 0);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => connection.StatusAsync(_cluster.Stranger));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Contains(_cluster.Stranger.PublicKey.ToString(), refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_witnesses_may_exchange()
    {
        using TestConnection connection = new(_cluster, 0);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => connection.OpenAsync(connection.Peer.Exchange(new CallOptions()), _cluster.Publisher));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        using TestCall<IExchangeRequest, IExchangeReply> peer = await connection.OpenAsync(connection.Peer.Exchange(new CallOptions()), _cluster.WitnessSigner(1));
    }

    [Fact]
    public async Task A_silent_client_is_let_go()
    {
        await _cluster.StopAsync(0);
        await _cluster.StartAsync(0, options => options with { Edge = options.Edge with { HelloTimeout = TimeSpan.FromMilliseconds(200) } });
        using TestConnection connection = new(_cluster, 0);
        using TestCall<IStatusRequest, IStatusReply> call = new(connection.Witness.Status(new CallOptions()));
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => call.NextAsync<WelcomeFrame>());
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }

    [Fact]
    public async Task Calls_of_one_key_are_capped()
    {
        await _cluster.StopAsync(0);
        await _cluster.StartAsync(0, options => options with { Edge = options.Edge with { SessionsPerIdentityMax = 1 } });
        using TestConnection connection = new(_cluster, 0);
        using TestCall<IPublishRequest, IPublishReply> first = await connection.PublishAsync(_cluster.Publisher);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => connection.PublishAsync(_cluster.Publisher));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
    }

    [Fact]
    public async Task Info_needs_no_session_and_names_cluster_and_key()
    {
        using TestConnection connection = new(_cluster, 0);
        InfoFrame info = Assert.IsType<InfoFrame>(await connection.Witness.InfoAsync(new CallOptions()));
        Assert.Equal(_cluster.Committee.Cluster, info.Cluster);
        Assert.Equal(_cluster.Committee.Keys[0], info.WitnessKey);
        Assert.Equal(_cluster.File.Limits, info.Limits);
    }
}
