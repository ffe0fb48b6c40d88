package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench/hop"
	"github.com/stentor-audio/stentor/bench/wire"
)

func benchHopCommand() *cli.Command {
	return &cli.Command{
		Name:  "hop",
		Usage: "what listeners notice when relays fail",
		UsageText: "stentor bench hop --relays 5 --listeners 200\n" +
			"stentor bench hop --relays 7 --degree 6 --roles interior\n" +
			"stentor bench hop --causes kill,freeze --roles edge,red_root --repeat 5 --report hop.html\n" +
			"stentor bench hop --causes restart,join\n" +
			"stentor bench hop --loss 0.01 --quiet 60s --roles none\n" +
			"stentor bench hop --rtt 40ms --jitter 10ms --loss 0.01 --json",
		Description: "Starts relays, a speaker and listeners, each relay on a host of its own in a network with a\n" +
			"round trip, and strikes one after the other: the edge, the red root, the blue root, an interior\n" +
			"relay, the ingest. A frame is lost if it has not come when it would have to be played. The\n" +
			"network needs Linux and root; without, everything is on the loopback.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "relays", Value: 5, Usage: "how many relays, 2 to 60", EnvVars: env("relays")},
			&cli.IntFlag{Name: "listeners", Value: 200, Usage: "how many listen", EnvVars: env("listeners")},
			&cli.DurationFlag{Name: "over", Usage: "how long the listeners take to come, evenly spread (default: 20ms each)", EnvVars: env("over")},
			&cli.BoolFlag{Name: "direct", Usage: "let listeners begin at one relay after the other, instead of asking a lobby", EnvVars: env("direct")},
			&cli.IntFlag{Name: "capacity", Usage: "`SESSIONS` that a relay is meant for (default: 5000)", EnvVars: env("capacity")},
			&cli.IntFlag{Name: "egress", Usage: "`PACKETS` a second that a relay may send (default: no limit)", EnvVars: env("egress")},
			&cli.IntFlag{Name: "degree", Usage: "how many relays one feeds, 6 to 64: with more relays some stand in between (default: 16)", EnvVars: env("degree")},
			&cli.DurationFlag{Name: "delay", Value: 200 * time.Millisecond, Usage: "playout delay, with packets of up to 60 ms; 120 ms more with longer ones", EnvVars: env("delay")},
			&cli.DurationFlag{Name: "packet", Value: 60 * time.Millisecond, Usage: "audio a datagram: 20ms, 60ms or 120ms; 0 is what relays wish", EnvVars: env("packet")},
			&cli.DurationFlag{Name: "rtt", Value: 40 * time.Millisecond, Usage: "round trip between hosts", EnvVars: env("rtt")},
			&cli.DurationFlag{Name: "jitter", Value: 10 * time.Millisecond, Usage: "by how much it differs", EnvVars: env("jitter")},
			&cli.Float64Flag{Name: "loss", Usage: "`SHARE` of packets that is lost one way, 0 to 1", EnvVars: env("loss")},
			&cli.BoolFlag{Name: "loopback", Usage: "do without the network", EnvVars: env("loopback")},
			&cli.StringSliceFlag{Name: "roles", Usage: "who is struck: " + joined(hop.Roles) + " (default: these); " + joined(hop.SeveralRoles) + "; none", EnvVars: env("roles")},
			&cli.StringSliceFlag{Name: "causes", Usage: "by what: " + joined(hop.Causes) + " (default: these); " + joined(hop.WideCauses) + ", whatever the roles; none", EnvVars: env("causes")},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "how often each", EnvVars: env("repeat")},
			&cli.DurationFlag{Name: "outage", Value: 8 * time.Second, Usage: "how long a relay is gone", EnvVars: env("outage")},
			&cli.DurationFlag{Name: "rest", Value: 7 * time.Second, Usage: "and how long the network then has", EnvVars: env("rest")},
			&cli.DurationFlag{Name: "quiet", Value: 5 * time.Second, Usage: "how long nothing is struck at first", EnvVars: env("quiet")},
			&cli.StringFlag{Name: "report", Usage: "write plots to `FILE`, a self-contained HTML page", EnvVars: env("report")},
			&cli.BoolFlag{Name: "verbose", Usage: "tell of each frame that is lost, even if they are many", EnvVars: env("verbose")},
			&cli.BoolFlag{Name: "json", Usage: "write the result to stdout as JSON, and for people to stderr", EnvVars: env("json")},
		},
		Action: runBenchHop,
	}
}

func joined[T ~string](names []T) string {
	text := make([]string, len(names))
	for i, n := range names {
		text[i] = string(n)
	}
	return strings.Join(text, ", ")
}

func runBenchHop(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("bench hop takes no argument, only flags: %q; see 'stentor bench hop --help'", c.Args().First())
	}
	o, err := hopOptions(c)
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
	result, err := hop.Run(c.Context, o)
	p.clear()
	switch {
	case errors.Is(err, hop.ErrOptions):
		err = usagef("%w; see 'stentor bench hop --help'", err)
	case errors.Is(err, hop.ErrInterrupted) && result == nil:
		err = fmt.Errorf("%w before anything was measured", err)
	case errors.Is(err, hop.ErrInterrupted):
		err = fmt.Errorf("%w: what was measured until then is all there is", err)
	}
	if result == nil {
		return err
	}
	return errors.Join(err, writeBench(c, result), report.write(result))
}

func hopOptions(c *cli.Context) (hop.Options, error) {
	o := hop.Options{
		Relays:     c.Int("relays"),
		Listeners:  c.Int("listeners"),
		Degree:     c.Int("degree"),
		Capacity:   c.Int("capacity"),
		Egress:     c.Int("egress"),
		Direct:     c.Bool("direct"),
		Over:       c.Duration("over"),
		Delay:      c.Duration("delay"),
		Packet:     c.Duration("packet"),
		Conditions: wire.Conditions{RTT: c.Duration("rtt"), Jitter: c.Duration("jitter"), Loss: c.Float64("loss"), Seed: 1},
		Loopback:   c.Bool("loopback"),
		Repeat:     c.Int("repeat"),
		Verbose:    c.Bool("verbose"),
		Outage:     c.Duration("outage"),
		Rest:       c.Duration("rest"),
		Quiet:      c.Duration("quiet"),
	}
	for _, name := range c.StringSlice("roles") {
		o.Roles = append(o.Roles, hop.Role(strings.TrimSpace(name)))
	}
	for _, name := range c.StringSlice("causes") {
		o.Causes = append(o.Causes, hop.Cause(strings.TrimSpace(name)))
	}
	// In the options zero means the default; on a command line it is a mistake.
	for _, name := range []string{"relays", "listeners", "repeat"} {
		if c.Int(name) < 1 {
			return o, usagef("--%s %d: want at least 1", name, c.Int(name))
		}
	}
	for _, name := range []string{"delay", "outage", "rest", "quiet"} {
		if c.Duration(name) <= 0 {
			return o, usagef("--%s %v: want a time above 0", name, c.Duration(name))
		}
	}
	return o, nil
}

// benchHopListenersCommand is the process of the listeners.
func benchHopListenersCommand() *cli.Command {
	return &cli.Command{
		Name:         "hop-listeners",
		Usage:        "listeners that tell what they miss",
		Hidden:       true,
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "relay"},
			&cli.StringSliceFlag{Name: "zone"},
			&cli.BoolFlag{Name: "direct"},
			&cli.IntFlag{Name: "listeners"},
			&cli.DurationFlag{Name: "delay"},
			&cli.DurationFlag{Name: "packet"},
			&cli.DurationFlag{Name: "over"},
		},
		Action: func(c *cli.Context) error {
			o := hop.EarOptions{Room: hop.Room, Doors: doorsOf(c), Direct: c.Bool("direct"), Packet: c.Duration("packet"), Delay: c.Duration("delay")}
			return hop.Listen(c.Context, o, c.Int("listeners"), c.Duration("over"), os.Stdin, os.Stdout)
		},
	}
}

// benchHopSpeakerCommand is the process of the speaker.
func benchHopSpeakerCommand() *cli.Command {
	return &cli.Command{
		Name:         "hop-speaker",
		Usage:        "a speaker that never pauses",
		Hidden:       true,
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "relay"},
			&cli.StringSliceFlag{Name: "zone"},
			&cli.BoolFlag{Name: "direct"},
			&cli.StringFlag{Name: "token"},
			&cli.IntFlag{Name: "bytes"},
		},
		Action: func(c *cli.Context) error {
			return hop.Speak(c.Context, doorsOf(c), c.Bool("direct"), c.String("token"), c.Int("bytes"), os.Stdin, os.Stdout)
		},
	}
}

// doorsOf are the relays that a process is told of, each with its zone.
func doorsOf(c *cli.Context) (doors []hop.Door) {
	zones := c.StringSlice("zone")
	for i, u := range c.StringSlice("relay") {
		d := hop.Door{URL: u}
		if i < len(zones) {
			d.Zone = zones[i]
		}
		doors = append(doors, d)
	}
	return doors
}
