package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench/storm"
)

func benchStormCommand() *cli.Command {
	return &cli.Command{
		Name:  "storm",
		Usage: "what becomes of a relay when very many come at once",
		UsageText: "stentor bench storm\n" +
			"stentor bench storm --factor 10 --duration 30s --report storm.html\n" +
			"stentor bench storm --join-rate 200 --json",
		Description: "Lets listeners in, measures what a join costs beside a bare handshake and how many can join\n" +
			"a second, and then lets ten times as many come: what do those notice who are in, do speakers\n" +
			"get in, and does everybody who is told to wait come in afterwards? Takes about two and a half\n" +
			"minutes. The relay has half of the processors to itself and the newcomers, who run at a lower\n" +
			"priority, the rest: they would be on other machines. Needs Linux.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "listeners", Value: 300, Usage: "how many are in before", EnvVars: env("listeners")},
			&cli.Float64Flag{Name: "factor", Value: 10, Usage: "how many `TIMES` as many come as can join", EnvVars: env("factor")},
			&cli.DurationFlag{Name: "duration", Value: 30 * time.Second, Usage: "how long they come", EnvVars: env("duration")},
			&cli.DurationFlag{Name: "after", Value: time.Minute, Usage: "how long those who wait may take afterwards", EnvVars: env("after")},
			&cli.Float64Flag{Name: "join-rate", Usage: "the relay's `HANDSHAKES` a second; 0 leaves that to it", EnvVars: env("join-rate")},
			&cli.StringFlag{Name: "profile", Usage: "write a CPU profile of the relay to `FILE`, while joins are counted", EnvVars: env("profile")},
			&cli.StringFlag{Name: "report", Usage: "write plots to `FILE`, a self-contained HTML page", EnvVars: env("report")},
			&cli.BoolFlag{Name: "json", Usage: "write the result to stdout as JSON, and for people to stderr", EnvVars: env("json")},
		},
		Action: runBenchStorm,
	}
}

func runBenchStorm(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("bench storm takes no argument, only flags: %q; see 'stentor bench storm --help'", c.Args().First())
	}
	report, err := createReport(c.String("report"))
	if err != nil {
		return err
	}
	defer report.discard()
	p := newProgress(os.Stderr)
	result, err := storm.Run(c.Context, storm.Options{
		Listeners: c.Int("listeners"),
		Factor:    c.Float64("factor"),
		Duration:  c.Duration("duration"),
		After:     c.Duration("after"),
		JoinRate:  c.Float64("join-rate"),
		Profile:   c.String("profile"),
		Progress:  func(step string, done, total int) { p.show(fmt.Sprintf("%s: %d of %d", step, done, total)) },
	})
	p.clear()
	switch {
	case errors.Is(err, storm.ErrOptions):
		err = usagef("%w; see 'stentor bench storm --help'", err)
	case errors.Is(err, storm.ErrInterrupted) && result == nil:
		err = fmt.Errorf("%w before anything was measured", err)
	}
	if result == nil {
		return err
	}
	return errors.Join(err, writeBench(c, result), report.write(result))
}

// benchStormNewcomersCommand is the process of those who come.
func benchStormNewcomersCommand() *cli.Command {
	return &cli.Command{
		Name:         "storm-newcomers",
		Usage:        "newcomers who do as they are told",
		Hidden:       true,
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			return storm.Newcomers(c.Context, os.Stdin, os.Stdout)
		},
	}
}
