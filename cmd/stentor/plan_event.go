package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/bench/event"
)

func planEventCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan-event",
		Usage: "how many relays an event takes",
		UsageText: "stentor plan-event --listeners 100000 --arrive 10m --zones 3 --cores 8 --memory 16GiB --egress 10Gbps --zone-loss\n" +
			"stentor plan-event --listeners 100000 --arrive 10m --zones 3 --relays 12      is that enough?\n" +
			"stentor plan-event --listeners 100000 --constants fanout.json,storm.json --json",
		Description: "Reckons how many relays of which machines so many listeners need, what runs out first, how\n" +
			"long people wait at the doors, and what happens when a zone dies, and shows the arithmetic.\n" +
			"The figures it starts from were measured on one machine: measure yours with 'stentor bench\n" +
			"fanout --json' and 'stentor bench storm --json', and give what they write with --constants.\n" +
			"Status 1 says that the --relays given are not enough, or that no number would be.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "listeners", Usage: "how many come", EnvVars: env("listeners")},
			&cli.DurationFlag{Name: "arrive", Value: 10 * time.Minute, Usage: "the `TIME` in which they come; 0 is all at once", EnvVars: env("arrive")},
			&cli.IntFlag{Name: "zones", Value: 3, Usage: "how many data centres", EnvVars: env("zones")},
			&cli.IntFlag{Name: "cores", Value: 8, Usage: "processors of each relay's machine", EnvVars: env("cores")},
			&cli.StringFlag{Name: "memory", Value: "16GiB", Usage: "memory of each", EnvVars: env("memory")},
			&cli.StringFlag{Name: "egress", Value: "10Gbps", Usage: "what its network line carries; not the relay's --egress, which is packets", EnvVars: env("egress")},
			&cli.Float64Flag{Name: "packets", Usage: "UDP packets a `SECOND` that the machine may send; 0 is as many as a relay can", EnvVars: env("packets")},
			&cli.IntFlag{Name: "capacity", Usage: "the relays' --capacity, in `SESSIONS`; 0 is as many as the machine bears", EnvVars: env("capacity")},
			&cli.DurationFlag{Name: "packet", Value: 60 * time.Millisecond, Usage: "audio a datagram: 20ms, 60ms or 120ms", EnvVars: env("packet")},
			&cli.StringFlag{Name: "transport", Value: string(cost.WebTransport), Usage: "how listeners come: quic or webtransport", EnvVars: env("transport")},
			&cli.IntFlag{Name: "speakers", Value: 1, Usage: "how many speak at the same time", EnvVars: env("speakers")},
			&cli.Float64Flag{Name: "load", Value: event.DefaultLoad, Usage: "how busy a relay is to be when all are in, in `PERCENT`", EnvVars: env("load")},
			&cli.DurationFlag{Name: "patience", Value: 30 * time.Second, Usage: "how long the last may have to wait", EnvVars: env("patience")},
			&cli.IntFlag{Name: "relays", Usage: "look at a fleet of `N` relays; 0 finds out how many are needed", EnvVars: env("relays")},
			&cli.IntFlag{Name: "degree", Usage: "how many relays one feeds, 6 to 64 (default: 16)", EnvVars: env("degree")},
			&cli.BoolFlag{Name: "zone-loss", Usage: "enough relays to carry everybody without any one zone", EnvVars: env("zone-loss")},
			&cli.StringSliceFlag{Name: "constants", Usage: "what machines cost, from `FILE`s that bench fanout, storm and hop have written with --json; repeat it", EnvVars: env("constants")},
			&cli.BoolFlag{Name: "json", Usage: "write the plan to stdout as JSON", EnvVars: env("json")},
		},
		Action: runPlanEvent,
	}
}

func runPlanEvent(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("plan-event takes no argument, only flags: %q; see 'stentor plan-event --help'", c.Args().First())
	}
	o, err := eventOptions(c)
	if err != nil {
		return err
	}
	r, err := event.Make(o)
	if errors.Is(err, event.ErrOptions) {
		return usagef("%w; see 'stentor plan-event --help'", err)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		out := json.NewEncoder(c.App.Writer)
		out.SetEscapeHTML(false)
		err = out.Encode(r)
	} else {
		err = r.WriteText(c.App.Writer)
	}
	if err == nil && !r.Fits {
		err = errors.New("not enough: " + strings.Join(r.Lack, "; "))
	}
	return err
}

func eventOptions(c *cli.Context) (event.Options, error) {
	o := event.Options{
		Listeners: c.Int("listeners"),
		Arrive:    c.Duration("arrive"),
		Zones:     c.Int("zones"),
		Cores:     c.Int("cores"),
		Packets:   c.Float64("packets"),
		Capacity:  c.Int("capacity"),
		Packet:    c.Duration("packet"),
		Transport: cost.Transport(c.String("transport")),
		Speakers:  c.Int("speakers"),
		Load:      c.Float64("load"),
		Patience:  c.Duration("patience"),
		Relays:    c.Int("relays"),
		ZoneLoss:  c.Bool("zone-loss"),
		Degree:    c.Int("degree"),
	}
	if !c.IsSet("listeners") {
		return o, usagef("say how many come, as in --listeners 100000; see 'stentor plan-event --help'")
	}
	// In the options zero means the default; on a command line it is a mistake.
	for _, name := range []string{"zones", "speakers"} {
		if c.Int(name) < 1 {
			return o, usagef("--%s %d: want at least 1", name, c.Int(name))
		}
	}
	for _, name := range []string{"packet", "patience"} {
		if c.Duration(name) <= 0 {
			return o, usagef("--%s %v: want a time above 0", name, c.Duration(name))
		}
	}
	if c.Float64("load") <= 0 || c.String("transport") == "" {
		return o, usagef("--load and --transport must not be empty or zero")
	}
	var err error
	if o.Memory, err = event.ParseBytes(c.String("memory")); err != nil {
		return o, usagef("--memory: %w", err)
	}
	if o.Egress, err = event.ParseBits(c.String("egress")); err != nil {
		return o, usagef("--egress: %w", err)
	}
	if o.Constants, err = cost.Read(c.StringSlice("constants")...); err != nil {
		return o, usagef("--constants: %w", err)
	}
	return o, nil
}
