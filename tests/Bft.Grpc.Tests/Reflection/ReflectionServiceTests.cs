using Bft.Grpc.Tests.Contracts;
using Bft.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Bft.Grpc.Tests.Reflection;

public sealed class ReflectionServiceTests : IAsyncLifetime
{
    private const string Services = "bft.test.v1.Echo grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection";
    private EchoHost _host = null!;

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync(
        services: services => services.AddGrpcReflection(EchoReflection.Descriptor, TraitsReflection.Descriptor), map: app => app.MapGrpcReflection());

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Services_are_listed()
    {
        ServerReflectionResponse response = await Ask(new ServerReflectionRequest { Host = "h", ListServices = "*" });

        Assert.Equal(Services, string.Join(' ', response.ListServicesResponse.Service.Select(service => service.Name)));
        Assert.Equal("h", response.ValidHost);
        Assert.Equal("*", response.OriginalRequest.ListServices);
    }

    [Theory]
    [InlineData("bft.test.v1.Echo")]
    [InlineData("bft.test.v1.Echo.Chat")]
    [InlineData("bft.test.v1.Note")]
    [InlineData("bft.test.v1.Note.payload")]
    public async Task A_symbol_finds_the_file_that_declares_it(string symbol) =>
        Assert.Equal(["echo.proto"], Files(await Ask(new ServerReflectionRequest { FileContainingSymbol = symbol })));

    [Theory]
    [InlineData("bft.test.v1.trait")]
    [InlineData("bft.test.v1.Traits.Kind")]
    [InlineData("bft.test.v1.Traits.KIND_A")]
    [InlineData("bft.test.v1.Traits.choice")]
    public async Task Enums_oneofs_and_extensions_are_symbols_too_and_imports_come_along(string symbol) =>
        Assert.Equal(["traits.proto", "google/protobuf/descriptor.proto"], Files(await Ask(new ServerReflectionRequest { FileContainingSymbol = symbol })));

    [Fact]
    public async Task A_file_is_found_by_name_also_when_it_is_only_imported()
    {
        Assert.Equal(["echo.proto"], Files(await Ask(new ServerReflectionRequest { FileByFilename = "echo.proto" })));
        Assert.Equal(["google/protobuf/descriptor.proto"], Files(await Ask(new ServerReflectionRequest { FileByFilename = "google/protobuf/descriptor.proto" })));
    }

    [Fact]
    public async Task Extensions_are_found_by_type_and_number()
    {
        ServerReflectionResponse numbers = await Ask(new ServerReflectionRequest { AllExtensionNumbersOfType = "google.protobuf.MessageOptions" });
        ServerReflectionResponse file = await Ask(new ServerReflectionRequest
        {
            FileContainingExtension = new ExtensionRequest { ContainingType = "google.protobuf.MessageOptions", ExtensionNumber = 50_100 },
        });

        Assert.Equal([50_100], numbers.AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal("traits.proto", Files(file)[0]);
    }

    [Fact]
    public async Task What_is_unknown_is_an_error_response_and_the_stream_goes_on()
    {
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call = new ServerReflection.ServerReflectionClient(_host.Channel()).ServerReflectionInfo();
        (ServerReflectionRequest Request, StatusCode Code)[] cases =
        [
            (new() { FileByFilename = "no.proto" }, StatusCode.NotFound),
            (new() { FileContainingSymbol = "no.Such" }, StatusCode.NotFound),
            (new() { FileContainingExtension = new() { ContainingType = "bft.test.v1.Note", ExtensionNumber = 1 } }, StatusCode.NotFound),
            (new() { AllExtensionNumbersOfType = "no.Such" }, StatusCode.NotFound),
            (new(), StatusCode.InvalidArgument),
        ];
        foreach ((ServerReflectionRequest request, StatusCode code) in cases)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
            Assert.Equal(code, (StatusCode)call.ResponseStream.Current.ErrorResponse.ErrorCode);
            Assert.Equal(request, call.ResponseStream.Current.OriginalRequest);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
    }

    [Fact]
    public async Task The_older_version_answers_the_same()
    {
        using AsyncDuplexStreamingCall<Alpha.ServerReflectionRequest, Alpha.ServerReflectionResponse> call =
            new Alpha.ServerReflection.ServerReflectionClient(_host.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new Alpha.ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));

        Assert.Equal(Services, string.Join(' ', call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)));
    }

    private static string[] Files(ServerReflectionResponse response) =>
        [.. response.FileDescriptorResponse.FileDescriptorProto.Select(file => FileDescriptorProto.Parser.ParseFrom(file).Name)];

    private async Task<ServerReflectionResponse> Ask(ServerReflectionRequest request)
    {
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call = new ServerReflection.ServerReflectionClient(_host.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
        return call.ResponseStream.Current;
    }
}
