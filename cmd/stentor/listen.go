package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
)

func listenCommand() *cli.Command {
	return &cli.Command{
		Name:  "listen",
		Usage: "listen to a room: with the loudspeaker, or into a file",
		UsageText: "stentor listen --room R                          the loudspeaker plays everybody\n" +
			"stentor listen --room R --out mix.wav            a mix of everybody\n" +
			"stentor listen --room R --speaker N --out n.opus one speaker's packets, as they were sent\n" +
			"stentor listen --room R --out - | aplay -f S16_LE -r 48000\n\n" +
			"Example: stentor listen --relay https://127.0.0.1:4443 --room town --duration 10s --out town.wav",
		Description: "Waits where nobody speaks yet, and where a room was announced counts down to its beginning. What is lost on the way is fetched while there is time and\n" +
			"concealed otherwise. A second relay stands by, and takes over unheard when the first one\n" +
			"goes away: any relay of the network will do for --relay, the others are learnt from it.",
		OnUsageError: usageError,
		Flags: append(sessionFlags(),
			&cli.StringFlag{Name: "room", Usage: "`ROOM` to listen to", EnvVars: env("room")},
			&cli.StringFlag{Name: "speaker", Usage: "listen to the one of this `NAME` only", EnvVars: env("speaker")},
			&cli.DurationFlag{Name: "packet", Usage: "audio in each datagram, 20ms, 60ms or 120ms: a longer `TIME` costs the network less", DefaultText: "what the relay asks for, or 60ms", EnvVars: env("packet")},
			&cli.DurationFlag{Name: "delay", Usage: "play this `TIME` after the earliest arrival; it grows if the network needs more", DefaultText: "200ms, or 320ms for packets of 120ms", EnvVars: env("delay")},
			&cli.DurationFlag{Name: "duration", Usage: "end after `TIME`", DefaultText: "never", EnvVars: env("duration")},
			&cli.StringFlag{Name: "out", Usage: "`FILE`.opus, FILE.wav or - (s16le, 48 kHz, mono) instead of the loudspeaker", EnvVars: env("out")},
			&cli.StringFlag{Name: "stats", Usage: "write what was counted to a JSON `FILE`, every second and at the end", EnvVars: env("stats")},
			&cli.BoolFlag{Name: "no-standby", Usage: "keep no second session ready: a relay that goes away is heard then", EnvVars: env("no-standby")},
		),
		Action: runListen,
	}
}

func runListen(c *cli.Context) error {
	p := newProgress(os.Stderr)
	o, err := listenOptions(c, p)
	if err != nil {
		return err
	}
	opens := &opening{p: p}
	o.OnRoom = opens.told
	out, err := openOutput(c.String("out"), outputOptions{packet: o.Packet, delay: c.Duration("delay"), progress: p})
	if err != nil {
		return err
	}
	o.Output = out.output()
	l, err := client.NewListener(o)
	if err != nil {
		return errors.Join(err, out.close())
	}
	ctx := c.Context
	if d := c.Duration("duration"); d > 0 {
		timed, stop := context.WithTimeoutCause(ctx, d, errHeardEnough)
		defer stop()
		ctx = timed
	}
	err = listen(ctx, l, out, c.String("stats"), opens, p)
	p.clear()
	sayHeard(p, l.Stats())
	return err
}

// errHeardEnough ends a listener that was given a duration.
var errHeardEnough = errors.New("the duration is over")

func listenOptions(c *cli.Context, p *progress) (client.ListenOptions, error) {
	if c.Args().Present() {
		return client.ListenOptions{}, usagef("listen takes no argument: %q; see 'stentor listen --help'", c.Args().First())
	}
	log, err := p.logger(c.String("log-level"))
	if err != nil {
		return client.ListenOptions{}, err
	}
	dial, err := dialOptions(c, log)
	if err != nil {
		return client.ListenOptions{}, err
	}
	if err := needRoom(c); err != nil {
		return client.ListenOptions{}, err
	}
	for _, flag := range []string{"delay", "duration"} {
		if c.Duration(flag) < 0 {
			return client.ListenOptions{}, usagef("--%s %v: want a time above 0", flag, c.Duration(flag))
		}
	}
	if d := c.Duration("delay"); d > maxDelay {
		return client.ListenOptions{}, usagef("--delay %v: %v at most", d, maxDelay)
	}
	if path := c.String("stats"); path != "" {
		if err := checkFolder("--stats", path); err != nil {
			return client.ListenOptions{}, err
		}
	}
	o := client.ListenOptions{
		Room:           c.String("room"),
		Speaker:        c.String("speaker"),
		Relays:         relays(c, c.String("room")),
		Dial:           dial,
		Packet:         c.Duration("packet"),
		NoStandby:      c.Bool("no-standby"),
		ConnectTimeout: c.Duration("connect-timeout"),
		Logger:         log,
	}
	// What is wrong with the options should be said before a loudspeaker opens.
	_, err = client.NewListener(o)
	return o, err
}

// maxDelay is what the buffers hold at most.
const maxDelay = 10 * time.Second

// listen runs the listener and what becomes of its audio until ctx ends, which
// is no failure, or either fails.
func listen(ctx context.Context, l *client.Listener, out output, statsFile string, opens *opening, p *progress) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() {
		err := l.Run(ctx)
		stop(err) // nothing more comes
		ended <- err
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, l, out, statsFile, opens, p)
	}()
	failed := out.run(ctx, l)
	stop(failed)
	err := <-ended
	<-watched
	if closeErr := out.close(); failed == nil {
		failed = closeErr
	}
	if statsFile != "" {
		if statsErr := l.Stats().WriteFile(statsFile); failed == nil {
			failed = statsErr
		}
	}
	switch {
	case errors.Is(err, errHeardEnough) && l.Stats().Relay == "" && l.LastError() != nil:
		return l.LastError() // the duration was over before any relay answered
	case !errors.Is(err, errHeardEnough) && !errors.Is(err, context.Canceled) && !errors.Is(err, failed):
		return err
	}
	return failed
}

const (
	statsEvery = time.Second
	// waitingAfter is how long a room may seem empty before it is said so: the
	// announcements take a round trip.
	waitingAfter = time.Second
)

// watch says who is there, draws the line that changes and writes the stats.
func watch(ctx context.Context, l *client.Listener, out output, statsFile string, opens *opening, p *progress) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	begun := time.Now()
	var written, empty time.Time
	heard := make(map[string]bool)
	var moves moves
	for {
		st := l.Stats()
		line, waits := opens.waits(time.Now())
		if !waits {
			newcomers(p, st, heard)
			line = out.line(st)
		}
		moves.tell(p, st)
		switch {
		case st.Relay == "" || len(st.Tracks) > 0 || waits:
			empty = time.Time{}
		case empty.IsZero():
			empty = time.Now()
		case time.Since(empty) > waitingAfter && !heard[""]:
			heard[""] = true
			p.say("nobody speaks in %s yet; waiting", printable(st.Room))
		}
		p.show(clock(time.Since(begun)) + "  " + relayLine(st) + line)
		if statsFile != "" && time.Since(written) >= statsEvery {
			written = time.Now()
			if err := st.WriteFile(statsFile); err != nil {
				p.say("%v", err)
				statsFile = ""
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// newcomers says who is heard for the first time.
func newcomers(p *progress, st client.Stats, heard map[string]bool) {
	for _, t := range st.Tracks {
		if t.Live && t.PacketMS > 0 && !heard[t.Speaker] {
			heard[t.Speaker] = true
			p.say("hearing %s in %s, %d ms packets", printable(t.Speaker), printable(st.Room), t.PacketMS)
		}
	}
}

// relayLine is where the listener is, and how often it has moved.
func relayLine(st client.Stats) string {
	if st.Relay == "" {
		return ""
	}
	line := cut(printable(st.Relay), 24)
	if n := len(st.Hops); n > 0 {
		line += fmt.Sprintf(" (%s)", count(uint64(n), "hop"))
	}
	return line + "  "
}

// moves is how many hops have been told.
type moves int

// settled is when a hop's losses are known: the listener counts for two seconds.
const settled = 2500 * time.Millisecond

// tell says where the listener has gone and what that cost, once it is known.
func (m *moves) tell(p *progress, st client.Stats) {
	for ; int(*m) < len(st.Hops); *m++ {
		h := st.Hops[*m]
		if st.DurationMS < h.AtMS+h.TookMS+settled.Milliseconds() {
			return
		}
		p.say("%s", hopLine(h))
	}
}

// hopLine says one hop.
func hopLine(h client.HopStats) string {
	lost := "nothing lost"
	if h.Lost > 0 {
		lost = count(h.Lost, "frame") + " lost"
	}
	return fmt.Sprintf("moved from %s to %s: %s; %d ms, %s", printable(h.From), printable(h.To), whyMoved(h.Cause), h.TookMS, lost)
}

// whyMoved is a cause in words.
func whyMoved(cause string) string {
	switch cause {
	case "drain":
		return "it is being drained"
	case "load":
		return "it has too many listeners"
	case "closed":
		return "it closed the session"
	case "silence":
		return "it fell silent"
	case "network":
		return "this machine's network changed"
	case "better":
		return "the other serves better"
	}
	return printable(cause)
}

// sayHeard sums up.
func sayHeard(p *progress, st client.Stats) {
	for _, t := range st.Tracks {
		if t.Expected == 0 {
			continue
		}
		line := fmt.Sprintf("heard %s: %s, %d lost", printable(t.Speaker), count(t.Expected, "frame"), t.Lost)
		if t.Repaired > 0 {
			line += fmt.Sprintf(", %d repaired", t.Repaired)
		}
		if t.Late > 0 {
			line += fmt.Sprintf(", %d late", t.Late)
		}
		p.say("%s", line)
	}
	if n := len(st.Hops); n > 0 {
		var lost uint64
		for _, h := range st.Hops {
			lost += h.Lost
		}
		p.say("%s, %s lost by them", count(uint64(n), "hop"), count(lost, "frame"))
	}
}
