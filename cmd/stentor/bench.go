package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench"
	"github.com/stentor-audio/stentor/bench/crowd"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure what listeners cost a relay, and what reaches them",
		UsageText: "stentor bench fanout --listeners 600 --duration 60s\n" +
			"stentor bench latency --report latency.html",
		Description: "Starts a relay as a process of its own on this machine, lets a synthetic voice speak and\n" +
			"many light listeners listen, and reports CPU time, memory, losses and delays. A plain loop\n" +
			"around quic-go's SendDatagram is measured in turns with it, to compare with. Needs Linux.",
		OnUsageError: usageError,
		Subcommands: []*cli.Command{benchFanoutCommand(), benchLatencyCommand(), benchHopCommand(), benchStormCommand(), benchSimCommand(),
			benchBareCommand(), benchFrozenCommand(), benchHopListenersCommand(), benchHopSpeakerCommand(), benchStormNewcomersCommand()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no %q to measure; see 'stentor bench --help'", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func benchFanoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "fanout",
		Usage: "CPU time, memory and losses with many listeners",
		UsageText: "stentor bench fanout --listeners 600 --packet 20ms --duration 60s\n" +
			"stentor bench fanout --transport webtransport --report fanout.html\n" +
			"stentor bench fanout --freeze 1 --duration 30s           one more listener stops reading for 10 s\n" +
			"stentor bench fanout --relay https://127.0.0.1:4443 --pid 1234 --json\n" +
			"stentor bench fanout --profile relay.pprof               where the time goes; see 'go tool pprof'",
		Description: "CPU time is that of the relay's process alone; memory is what its resident size grew by, a\n" +
			"listener. The baseline is measured in slices of 3 s between slices of 6 s of the relay, and the\n" +
			"figures are medians over the slices, so that it matters little what else the machine does.",
		OnUsageError: usageError,
		Flags: append(benchFlags(600, time.Minute),
			&cli.IntFlag{Name: "freeze", Usage: "let `N` further listeners stop reading in the middle", EnvVars: env("freeze")},
			&cli.DurationFlag{Name: "freeze-for", Value: 10 * time.Second, Usage: "for this `TIME`", EnvVars: env("freeze-for")},
		),
		Action: func(c *cli.Context) error {
			return runBench(c, func(o bench.Options) (benchResult, error) {
				r, err := bench.Fanout(c.Context, o)
				if r == nil {
					return nil, err
				}
				return r, err
			})
		},
	}
}

func benchLatencyCommand() *cli.Command {
	return &cli.Command{
		Name:  "latency",
		Usage: "how much later listeners hear through a relay",
		UsageText: "stentor bench latency --listeners 100 --duration 30s\n" +
			"stentor bench latency --relay https://127.0.0.1:4443 --report latency.html",
		Description: "Each datagram of each listener is compared with the same packet on a direct connection from\n" +
			"the voice to one more listener. Speaker, listeners and relay share this machine's processors,\n" +
			"so with many listeners most of what is measured is the listeners' own work; the baseline, a\n" +
			"plain loop that sends to as many, says how much.",
		OnUsageError: usageError,
		Flags:        benchFlags(100, 30*time.Second),
		Action: func(c *cli.Context) error {
			return runBench(c, func(o bench.Options) (benchResult, error) {
				r, err := bench.Latency(c.Context, o)
				if r == nil {
					return nil, err
				}
				return r, err
			})
		},
	}
}

// benchFlags are the flags of every measurement with listeners.
func benchFlags(listeners int, duration time.Duration) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "listeners", Value: listeners, Usage: "how many listen", EnvVars: env("listeners")},
		&cli.DurationFlag{Name: "packet", Value: 20 * time.Millisecond, Usage: "audio a datagram: 20ms, 60ms or 120ms", EnvVars: env("packet")},
		&cli.DurationFlag{Name: "duration", Value: duration, Usage: "how long the relay is measured, 1s to 1h", EnvVars: env("duration")},
		&cli.StringFlag{Name: "transport", Value: crowd.QUIC, Usage: "how listeners connect: quic or webtransport", EnvVars: env("transport")},
		&cli.IntFlag{Name: "bytes", Value: 80, Usage: "size of each 20 ms Opus packet", EnvVars: env("bytes")},
		&cli.BoolFlag{Name: "baseline", Usage: "measure the plain loop, too (default: true without --relay)", EnvVars: env("baseline")},
		&cli.IntFlag{Name: "rate", Value: 200, Usage: "how many listeners join a second", EnvVars: env("rate")},
		&cli.StringFlag{Name: "relay", Usage: "measure the relay at this https:// `URL` instead of a new one", EnvVars: env("relay")},
		&cli.IntFlag{Name: "pid", Usage: "the process `ID` of that relay, which runs on this machine", EnvVars: env("pid")},
		&cli.StringFlag{Name: "token", Usage: "the `JWT` that lets the voice and the listeners in there", EnvVars: env("token")},
		&cli.StringFlag{Name: "room", Value: "bench", Usage: "where the voice speaks", EnvVars: env("room")},
		&cli.StringFlag{Name: "profile", Usage: "write a CPU profile of the relay to `FILE`; taking it costs some of that time", EnvVars: env("profile")},
		&cli.StringFlag{Name: "report", Usage: "write plots to `FILE`, a self-contained HTML page", EnvVars: env("report")},
		&cli.BoolFlag{Name: "json", Usage: "write the result to stdout as JSON, and for people to stderr", EnvVars: env("json")},
	}
}

// A benchResult is what was measured, in its three forms; JSON is the type
// itself.
type benchResult interface {
	WriteText(io.Writer) error
	WriteHTML(io.Writer) error
}

// runBench reads the flags, measures, and writes what was found, even if that is
// only a part.
func runBench(c *cli.Context, measure func(bench.Options) (benchResult, error)) error {
	if c.Args().Present() {
		return usagef("bench %s takes no argument, only flags: %q; see 'stentor bench %s --help'", c.Command.Name, c.Args().First(), c.Command.Name)
	}
	o, err := benchOptions(c)
	if err != nil {
		return err
	}
	report, err := createReport(c.String("report"))
	if err != nil {
		return err
	}
	defer report.discard()
	p := newProgress(os.Stderr)
	o.Progress = func(step string, done, total int) { p.show(fmt.Sprintf("%s: %d of %d", step, done, total)) }
	result, err := measure(o)
	p.clear()
	if result == nil {
		if errors.Is(err, bench.ErrInterrupted) {
			return fmt.Errorf("%w before anything was measured", err)
		}
		return benchError(err)
	}
	return errors.Join(benchError(err), writeBench(c, result), report.write(result))
}

func benchOptions(c *cli.Context) (bench.Options, error) {
	o := bench.Options{
		Listeners: c.Int("listeners"),
		Packet:    c.Duration("packet"),
		Duration:  c.Duration("duration"),
		Transport: c.String("transport"),
		Bytes:     c.Int("bytes"),
		Baseline:  c.Bool("baseline") || !c.IsSet("baseline") && c.String("relay") == "",
		Relay:     c.String("relay"),
		PID:       c.Int("pid"),
		Token:     c.String("token"),
		Room:      c.String("room"),
		Freeze:    c.Int("freeze"),
		FreezeFor: c.Duration("freeze-for"),
		Rate:      c.Int("rate"),
		Profile:   c.String("profile"),
	}
	// In the options zero means the default; on a command line it is a mistake.
	for _, name := range []string{"listeners", "bytes", "rate"} {
		if c.Int(name) < 1 {
			return o, usagef("--%s %d: want at least 1", name, c.Int(name))
		}
	}
	for _, name := range []string{"packet", "duration"} {
		if c.Duration(name) <= 0 {
			return o, usagef("--%s %v: want a time above 0", name, c.Duration(name))
		}
	}
	if c.String("room") == "" || c.String("transport") == "" {
		return o, usagef("--room and --transport must not be empty")
	}
	return o, nil
}

// benchError gives an error its place among the exit codes.
func benchError(err error) error {
	switch {
	case errors.Is(err, bench.ErrOptions):
		return usagef("%w; see 'stentor bench --help'", err)
	case errors.Is(err, bench.ErrInterrupted):
		return fmt.Errorf("%w: what was measured until then is all there is", err)
	}
	return err
}

func writeBench(c *cli.Context, result benchResult) error {
	if !c.Bool("json") {
		return result.WriteText(os.Stdout)
	}
	if err := result.WriteText(os.Stderr); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	return out.Encode(result)
}

// A reportFile is opened before anything is measured: a path that cannot be
// written shall not cost a minute.
type reportFile struct {
	file *os.File // nil: none was asked for, or it is written
}

func createReport(path string) (*reportFile, error) {
	if path == "" {
		return &reportFile{}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, usagef("--report: %w", err)
	}
	return &reportFile{f}, nil
}

// write replaces what is in the file.
func (r *reportFile) write(result benchResult) error {
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.file.Truncate(0), result.WriteHTML(r.file), r.file.Close())
	r.file = nil
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return nil
}

// discard closes a file that was not written and takes it away if it is empty:
// then it was made here.
func (r *reportFile) discard() {
	if r.file == nil {
		return
	}
	info, err := r.file.Stat()
	_ = r.file.Close()
	if err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		_ = os.Remove(r.file.Name())
	}
}
