package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/bench/scenarios"
	"github.com/stentor-audio/stentor/bench/sim"
)

func benchSimCommand() *cli.Command {
	return &cli.Command{
		Name:  "sim",
		Usage: "rehearse an event of any size, with the code that decides on the night",
		UsageText: "stentor bench sim --scenario zone-loss\n" +
			"stentor bench sim --scenario launch-2023 --seed 7 --json --report launch.html >launch.json\n" +
			"stentor bench sim --scenario million --listeners 100000 --relays 200\n" +
			"stentor bench sim --scenario our-event.yaml --constants fanout.json,storm.json",
		Description: "Simulates listeners, relays and what happens to them. Placement, plans, hops and admission\n" +
			"are those of relay and client; links, clocks and processors are modelled by what 'stentor\n" +
			"bench fanout', 'storm' and 'hop' have measured. The same scenario, seed and constants give\n" +
			"the same result. Status 1 says that a promise of the scenario is broken, or that it cannot\n" +
			"be served. Scenarios: " + strings.Join(scenarios.Names(), ", ") + ".",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "scenario", Usage: "`NAME` of a scenario, or a file of one's own (docs/simulator.md)", EnvVars: env("scenario")},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "what chance begins with", EnvVars: env("seed")},
			&cli.IntFlag{Name: "listeners", Usage: "let `N` come instead of as many as the scenario says", EnvVars: env("listeners")},
			&cli.IntFlag{Name: "relays", Usage: "begin with `N` relays instead", EnvVars: env("relays")},
			&cli.StringSliceFlag{Name: "constants", Usage: "what machines cost, from `FILE`s that bench fanout, storm and hop have written with --json; repeat it", EnvVars: env("constants")},
			&cli.StringFlag{Name: "report", Usage: "write plots to `FILE`, a self-contained HTML page", EnvVars: env("report")},
			&cli.StringFlag{Name: "profile", Usage: "write a CPU profile of the simulation itself to `FILE`; see 'go tool pprof'", EnvVars: env("profile")},
			&cli.BoolFlag{Name: "json", Usage: "write the result to stdout as JSON, and for people to stderr", EnvVars: env("json")},
		},
		Action: runBenchSim,
	}
}

func runBenchSim(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("bench sim takes no argument, only flags: %q; see 'stentor bench sim --help'", c.Args().First())
	}
	o, err := simOptions(c)
	if err != nil {
		return err
	}
	report, err := createReport(c.String("report"))
	if err != nil {
		return err
	}
	defer report.discard()
	stop, err := startProfile(c.String("profile"))
	if err != nil {
		return err
	}
	defer stop()
	// A simulation makes little that lasts, and people wait for it.
	debug.SetGCPercent(300)
	debug.SetMemoryLimit(4 << 30)
	p := newProgress(os.Stderr)
	o.Progress = simProgress(p)
	result, err := sim.Run(c.Context, o)
	p.clear()
	switch {
	case errors.Is(err, sim.ErrOptions), errors.Is(err, sim.ErrScenario):
		return usagef("%w; see 'stentor bench sim --help'", err)
	case errors.Is(err, sim.ErrInterrupted):
		err = fmt.Errorf("%w: what was simulated until then is all there is", err)
	}
	if result == nil {
		return err
	}
	return errors.Join(err, writeBench(c, result), report.write(result))
}

// startProfile takes a CPU profile of this process until stop is called; without
// a file it takes none.
func startProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("--profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("--profile: %w", err), f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // what is missing shows when it is read
	}, nil
}

func simOptions(c *cli.Context) (sim.Options, error) {
	o := sim.Options{Seed: c.Uint64("seed"), Listeners: c.Int("listeners"), Relays: c.Int("relays")}
	// In the options zero means the scenario's; on a command line it is a mistake.
	for _, name := range []string{"listeners", "relays"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return o, usagef("--%s %d: want at least 1", name, c.Int(name))
		}
	}
	if c.Uint64("seed") == 0 {
		return o, usagef("--seed 0: want 1 or more")
	}
	if c.String("scenario") == "" {
		return o, usagef("--scenario NAME|FILE is needed: one of %s, or a file", strings.Join(scenarios.Names(), ", "))
	}
	var err error
	if o.Scenario, err = sim.Open(c.String("scenario")); err != nil {
		return o, usagef("--scenario: %w", err)
	}
	if o.Constants, err = cost.Read(c.StringSlice("constants")...); err != nil {
		return o, usagef("--constants: %w", err)
	}
	return o, nil
}

// simProgress shows a bar on a terminal, and elsewhere says every few seconds how
// far a simulation is.
func simProgress(p *progress) func(step string, done, total int) {
	const width, every = 30, 5 * time.Second
	said := time.Now()
	return func(step string, done, total int) {
		full := width * done / max(total, 1)
		p.show(fmt.Sprintf("%s%s %s: %d of %d", strings.Repeat("█", full), strings.Repeat("░", width-full), step, done, total))
		if !p.terminal && time.Since(said) >= every {
			said = time.Now()
			p.say("%s: %d of %d", step, done, total)
		}
	}
}
