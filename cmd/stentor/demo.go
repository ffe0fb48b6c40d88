package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/udp"
)

const (
	demoRoom  = "demo"
	demoVoice = "herald"
	// demoListen is tried first, so that the commands the demo prints are those
	// of the documentation; if it is taken, any free port does.
	demoListen = "127.0.0.1:4443"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "a relay on this machine with a speaking voice",
		UsageText: "stentor demo                  until Ctrl-C\n" +
			"stentor demo --duration 30s   for half a minute",
		Description: "Starts a relay on loopback, lets a synthetic voice speak in room \"demo\", listens to it as\n" +
			"anybody could, and says how to join. Ctrl-C ends it and everything it started.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", Usage: "loopback `ADDRESS` of the page", EnvVars: env("http")},
			&cli.DurationFlag{Name: "duration", Usage: "end after this long; 0 is never", EnvVars: env("duration")},
		},
		Action: runDemo,
	}
}

func runDemo(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("demo takes no argument: %q; see 'stentor demo --help'", c.Args().First())
	}
	if c.Duration("duration") < 0 {
		return usagef("--duration %v: want a time above 0, or 0 for no end", c.Duration("duration"))
	}
	ctx, stop := context.WithCancelCause(c.Context)
	defer stop(nil)
	if d := c.Duration("duration"); d > 0 {
		t := time.AfterFunc(d, func() { stop(errDemoOver) })
		defer t.Stop()
	}
	log, err := newLogger("warn")
	if err != nil {
		return err
	}
	r, err := demoRelay(c.String("http"), log)
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
	start("relay", func() error { return r.Run(ctx) })
	start("voice", func() error { return demoSpeak(ctx, r.URL()) })
	sayDemo(r)

	<-ctx.Done()
	parts.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errDemoOver) && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// errDemoOver ends a demo that was given a duration.
var errDemoOver = errors.New("the demo is over")

// demoRelay takes the usual port, or any where that is taken.
func demoRelay(http string, log *slog.Logger) (*relay.Relay, error) {
	cfg := relay.Config{Listen: demoListen, HTTP: http, Name: "relay-a", Open: true, Logger: log}
	r, err := relay.New(cfg)
	if errors.Is(err, udp.ErrInUse) { // if it is the page's port, it is so again
		cfg.Listen = "127.0.0.1:0"
		return relay.New(cfg)
	}
	return r, err
}

// demoSpeak lets the sample voice speak for ever.
func demoSpeak(ctx context.Context, url string) error {
	src, err := audio.New(bytes.NewReader(sample.Voice), audio.Options{Loop: true})
	if err != nil {
		return err
	}
	return client.Speak(ctx, client.SpeakOptions{Room: demoRoom, Name: demoVoice, Relays: []string{url}}, src)
}

// sayDemo tells how to join, on stdout, because it is what the demo is for.
func sayDemo(r *relay.Relay) {
	fmt.Printf("A voice speaks in room %q on relay %s.\n\n", demoRoom, r.Name())
	if addr := r.HTTPAddr(); addr != nil {
		fmt.Printf("  page     http://%s/r/%s\n", addr, demoRoom)
	}
	fmt.Printf("  listen   stentor listen --relay %s --room %s\n", r.URL(), demoRoom)
	fmt.Printf("  record   stentor listen --relay %s --room %s --duration 10s --out voice.wav\n", r.URL(), demoRoom)
	fmt.Printf("  speak    stentor speak --relay %s --room %s --name you FILE.opus\n\n", r.URL(), demoRoom)
	fmt.Println("Ctrl-C ends it.")
	_ = os.Stdout.Sync()
}
