package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/client/playout"
)

const (
	demoRoom  = "demo"
	demoVoice = "herald"
	// maxDemoRelays is what one machine has use for.
	maxDemoRelays = 16
	// minChaos is how soon after another a relay may be killed: the one before
	// has to be back.
	minChaos = 3 * time.Second
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "a network on this machine with a speaking voice",
		UsageText: "stentor demo                  until Ctrl-C\n" +
			"stentor demo --chaos 10s      kill a relay every 10 s, and hear nothing of it\n" +
			"stentor demo --duration 30s   for half a minute",
		Description: "Starts relays on loopback, lets a synthetic voice speak in room \"demo\", listens to it as\n" +
			"anybody could, and says how to join. --chaos kills a relay at random every so often, as\n" +
			"kill -9 does, and starts it again; the listener counts what it lost. Ctrl-C ends it all.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "relays", Value: 3, Usage: "how many relays `N`, 1 to 16", EnvVars: env("relays")},
			&cli.DurationFlag{Name: "chaos", Usage: "kill a relay every `TIME`, at least 3s; 0 is never", EnvVars: env("chaos")},
			&cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", Usage: "loopback `ADDRESS` of the page", EnvVars: env("http")},
			&cli.DurationFlag{Name: "duration", Usage: "end this `TIME` after the relays are there; 0 is never", EnvVars: env("duration")},
		},
		Action: runDemo,
	}
}

func checkDemo(c *cli.Context) error {
	chaos, relays := c.Duration("chaos"), c.Int("relays")
	switch {
	case c.Args().Present():
		return usagef("demo takes no argument: %q; see 'stentor demo --help'", c.Args().First())
	case c.Duration("duration") < 0:
		return usagef("--duration %v: want a time above 0, or 0 for no end", c.Duration("duration"))
	case relays < 1 || relays > maxDemoRelays:
		return usagef("--relays %d: want 1 to %d", relays, maxDemoRelays)
	case chaos != 0 && chaos < minChaos:
		return usagef("--chaos %v: want %v at least, so that the relay before is back", chaos, minChaos)
	case chaos != 0 && relays == 1:
		return usagef("--chaos wants another relay to go to: --relays 2 or more")
	}
	return nil
}

func runDemo(c *cli.Context) error {
	if err := checkDemo(c); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(c.Context)
	defer stop(nil)
	network, err := startDemoNetwork(ctx, c.Int("relays"), c.String("http"))
	if err != nil {
		return err
	}
	defer network.close()
	p := newProgress(os.Stderr)
	listener, err := client.NewListener(client.ListenOptions{
		Room: demoRoom, Relays: network.urls(demoRoom), Output: client.NewFrames(playout.Config{}),
	})
	if err != nil {
		return err
	}
	var parts sync.WaitGroup
	start := func(name string, run func() error) {
		parts.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	sayDemo(network)
	if d := c.Duration("duration"); d > 0 {
		t := time.AfterFunc(d, func() { stop(errDemoOver) })
		defer t.Stop()
	}
	start("voice", func() error { return demoSpeak(ctx, network.urls(demoRoom+"/"+demoVoice)) })
	start("listener", func() error { return listener.Run(ctx) })
	start("progress", func() error { demoWatch(ctx, listener, network, p); return nil })
	if chaos := c.Duration("chaos"); chaos > 0 {
		start("chaos", func() error { return demoChaos(ctx, network, chaos, p) })
	}
	<-ctx.Done()
	parts.Wait()
	p.clear()
	sayDemoOver(network, listener.Stats())
	if err := context.Cause(ctx); !errors.Is(err, errDemoOver) && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// errDemoOver ends a demo that was given a duration.
var errDemoOver = errors.New("the demo is over")

// demoSpeak lets the sample voice speak for ever.
func demoSpeak(ctx context.Context, urls []string) error {
	src, err := audio.New(bytes.NewReader(sample.Voice), audio.Options{Loop: true})
	if err != nil {
		return err
	}
	return client.Speak(ctx, client.SpeakOptions{
		Room: demoRoom, Name: demoVoice, Relays: urls, Logger: slog.New(slog.DiscardHandler),
	}, src)
}

// demoChaos kills a relay every so often, and starts it again.
func demoChaos(ctx context.Context, n *demoNetwork, every time.Duration, p *progress) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := -1
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		victim := rand.IntN(len(n.relays))
		if victim == last && len(n.relays) > 1 {
			victim = (victim + 1) % len(n.relays)
		}
		last = victim
		r := n.relays[victim]
		if err := n.kill(r); err != nil {
			return err
		}
		p.say("killed %s", r.name)
		select {
		case <-time.After(min(every/2, demoAway)):
		case <-ctx.Done():
			return nil
		}
		if err := n.start(ctx, r); err != nil {
			return err
		}
		p.say("%s is back", r.name)
	}
}

// demoAway is how long a killed relay is gone.
const demoAway = 3 * time.Second

// demoWatch says what its listener hears, and where it went.
func demoWatch(ctx context.Context, l *client.Listener, n *demoNetwork, p *progress) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	begun, hops := time.Now(), 0
	for {
		st := l.Stats()
		for ; hops < len(st.Hops); hops++ {
			h := st.Hops[hops]
			p.say("moved from %s to %s in %d ms (%s), %s lost", n.nameOf(h.From), n.nameOf(h.To), h.TookMS, h.Cause, plural(int(h.Lost), "frame"))
		}
		played, lost := heardAndLost(st)
		p.show(fmt.Sprintf("%s  at %s  %s heard, %d lost, %s", clock(time.Since(begun)), n.nameOf(st.Relay),
			plural(int(played), "frame"), lost, plural(hops, "hop")))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func heardAndLost(st client.Stats) (played, lost uint64) {
	for _, t := range st.Tracks {
		played += t.Played
		lost += t.Lost
	}
	return played, lost
}

// sayDemo tells how to join, on stdout, because it is what the demo is for.
func sayDemo(n *demoNetwork) {
	first := n.relays[0]
	fmt.Printf("A voice speaks in room %q, through %s.\n\n", demoRoom, plural(len(n.relays), "relay"))
	if n.page != "" {
		fmt.Printf("  page     http://%s/r/%s\n", n.page, demoRoom)
	}
	fmt.Printf("  listen   stentor listen --relay %s --room %s\n", first.url, demoRoom)
	fmt.Printf("  record   stentor listen --relay %s --room %s --duration 10s --out voice.wav\n", first.url, demoRoom)
	fmt.Printf("  speak    stentor speak --relay %s --room %s --name you FILE.opus\n", first.url, demoRoom)
	fmt.Printf("  look     stentor tree %s --admin http://%s\n\n", demoRoom, first.admin)
	fmt.Println("Ctrl-C ends it.")
	_ = os.Stdout.Sync()
}

// sayDemoOver tells what became of it.
func sayDemoOver(n *demoNetwork, st client.Stats) {
	played, lost := heardAndLost(st)
	fmt.Printf("%s heard, %d lost", plural(int(played), "frame"), lost)
	if kills := n.kills.Load(); kills > 0 {
		fmt.Printf(", %s killed, %s", plural(int(kills), "relay"), plural(len(st.Hops), "hop"))
	}
	fmt.Println()
}
