using System.Runtime.InteropServices;
using Bft.Node;

// The bare process; `bft node` does the same with more comfort.
if (args is not [string cluster, string key, string data])
{
    Console.Error.WriteLine("usage: bft-node CLUSTER.YAML KEY-FILE DATA-DIRECTORY");
    return NodeExitCode.Settings;
}

using CancellationTokenSource stop = new();
void OnSignal(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
try
{
    await NodeHost.RunAsync(new NodeOptions { ClusterFile = cluster, KeyFile = key, DataDirectory = data }, stop.Token);
    return NodeExitCode.Ok;
}
catch (NodeFailure failure)
{
    Console.Error.WriteLine(failure.Message);
    return failure.ExitCode;
}
