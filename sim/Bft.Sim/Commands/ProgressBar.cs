using Spectre.Console;

namespace Bft.Sim;

/// <summary>What moves on a terminal while runs are performed.</summary>
internal static class ProgressBar
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    /// <summary>A line with a spinner until the work is done.</summary>
    public static Task SpinAsync(SimInvocation sim, Task work, Func<string> text) =>
        sim.Progress.Status().StartAsync("…", async context =>
        {
            do
            {
                context.Status(Markup.Escape(text()));
            }
            while (await Task.WhenAny(work, Task.Delay(Pace)) != work);
        });

    /// <summary>A bar until the work is done.</summary>
    /// <param name="sim">Whose terminal.</param>
    /// <param name="work">What is waited for.</param>
    /// <param name="part">How much of it is done, 0 to 1.</param>
    /// <param name="text">What stands beside the bar.</param>
    public static Task FillAsync(SimInvocation sim, Task work, Func<double> part, Func<string> text) =>
        sim.Progress.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("…", maxValue: 1);
                do
                {
                    bar.Value = part();
                    bar.Description = Markup.Escape(text());
                }
                while (await Task.WhenAny(work, Task.Delay(Pace)) != work);
            });
}
