using System.Diagnostics;
using Bft.Sim;

ulong from = args.Length > 0 ? ulong.Parse(args[0]) : 1;
ulong to = args.Length > 1 ? ulong.Parse(args[1]) : from;
long began = Stopwatch.GetTimestamp();
long deliveries = 0, events = 0, time = 0;
for (ulong seed = from; seed <= to; seed++)
{
    RunResult result = Run.Perform(new RunRequest(seed, new RunPlan { Broadcasts = 200, BroadcastEveryMicroseconds = 5000 }), withTrace: args.Length > 2);
    deliveries += result.Deliveries; events += result.Events; time += result.VirtualTime;
    foreach (TraceEvent e in result.Trace?.Events ?? []) { Console.WriteLine($"{e.At / 1e6,10:0.000} {(e.Party < 0 ? "--" : result.Parties[e.Party])} {e.Kind} {(e.Other < 0 ? "" : result.Parties[e.Other])} {e.Text}"); }
    Console.WriteLine($"{seed} {result.Hash} ev {result.Events} del {result.Deliveries} virt {result.VirtualTime / 1e9:0.0}s {result.Violation}");
}
double s = Stopwatch.GetElapsedTime(began).TotalSeconds;
Console.WriteLine($"{s:0.000}s  {deliveries / s:0} deliveries/s {events / s:0} events/s virtual/real {time / 1e9 / s:0}");
