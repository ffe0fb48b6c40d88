package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/echo"
)

const (
	// stageDelay is how late people on stage hear each other: enough for a hop to
	// another relay (20 ms packets, 30 ms until one is missed, a round trip of 40),
	// and not so much that they talk at once.
	stageDelay = 120 * time.Millisecond
	// warnEvery is how often somebody is told again that there is an echo.
	warnEvery = 10 * time.Second
)

// An ear is what a speaker hears of the room meanwhile, and the guard that finds
// what of it gets into the microphone.
type ear struct {
	out     output
	watch   *echo.Watch // nil: what is spoken cannot have an echo in it
	duck    bool
	p       *progress
	looping atomic.Bool

	speaker  *client.Speaker // set before it hears
	listener *client.Listener
	told     time.Time // when the last warning was said; the microphone's goroutine has it
}

// earFlags are what speak has for hearing the room.
func earFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "listen", Usage: "hear the others on stage meanwhile, without your own voice, in packets of 20 ms", EnvVars: env("listen-on-stage")},
		&cli.StringFlag{Name: "out", Usage: "with --listen: `FILE`.wav or - (s16le, 48 kHz, mono) instead of the loudspeaker", EnvVars: env("out")},
		&cli.DurationFlag{Name: "delay", Usage: "with --listen: play this `TIME` after the earliest arrival; it grows if the network needs more", DefaultText: stageDelay.String(), EnvVars: env("delay")},
		&cli.BoolFlag{Name: "duck", Usage: "with --listen: make your microphone 20 dB quieter while it hears the room", EnvVars: env("duck")},
	}
}

// openEar opens what the room is heard with, nil without --listen.
func openEar(c *cli.Context, p *progress) (*ear, error) {
	live := c.Bool("mic") || c.Args().First() == "-"
	out, delay := c.String("out"), c.Duration("delay")
	switch ext := strings.ToLower(filepath.Ext(out)); {
	case !c.Bool("listen"):
		for _, flag := range []string{"out", "delay", "duck"} {
			if c.IsSet(flag) {
				return nil, usagef("--%s is for --listen: what is heard of the room meanwhile", flag)
			}
		}
		return nil, nil
	case c.Bool("duck") && !live:
		return nil, usagef("--duck is for --mic and -: a file hears no room")
	case out != "" && out != "-" && ext != ".wav":
		return nil, usagef("--out %s: the name must end in .wav, or be - for samples on standard output", out)
	case delay < 0 || delay > maxDelay:
		return nil, usagef("--delay %v: want a time from 0 to %v", delay, maxDelay)
	case delay == 0:
		delay = stageDelay
	}
	e := &ear{duck: c.Bool("duck"), p: p}
	o := outputOptions{packet: client.FrameDuration, delay: delay, progress: p}
	if live {
		e.watch = echo.NewWatch(echo.WatchOptions{Found: e.found, Over: e.over, Duck: e.duck})
		o.played = e.watch.Played
	}
	var err error
	e.out, err = openOutput(out, o)
	return e, err
}

// attach has the ear be of a speaker, who speaks by o.
func (e *ear) attach(c *cli.Context, speaker *client.Speaker, o client.SpeakOptions) (err error) {
	e.speaker = speaker
	e.listener, err = speaker.Listener(client.ListenOptions{
		Room: o.Room, Relays: relays(c, o.Room), Dial: o.Dial,
		Output: e.out.output(), ConnectTimeout: o.ConnectTimeout, Logger: o.Logger,
	})
	return err
}

// begin has the room played until the returned function is called, which waits for
// the end of it.
func (e *ear) begin(ctx context.Context) (end func()) {
	if e == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		e.hear(ctx)
	}()
	return func() {
		stop()
		<-over
	}
}

// hear plays the room until ctx ends. That the room cannot be heard ends nobody's
// speech.
func (e *ear) hear(ctx context.Context) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() {
		err := e.listener.Run(ctx)
		stop(err)
		ended <- err
	}()
	failed := e.out.run(ctx, e.listener)
	stop(failed)
	if err := <-ended; failed == nil && !errors.Is(err, context.Canceled) {
		failed = err
	}
	if failed != nil {
		e.p.say("the room cannot be heard any more: %v", failed)
	}
}

// close writes what is left of a recording.
func (e *ear) close() {
	if err := e.out.close(); err != nil && e.listener != nil {
		e.p.say("%v", err)
	}
}

// found is told of an echo, each second as long as it is there.
func (e *ear) found(l echo.Loop) {
	e.looping.Store(true)
	e.speaker.ReportEcho(client.Echo{Loop: true, Delay: l.Delay, Gain: l.Gain})
	if now := time.Now(); now.Sub(e.told) >= warnEvery {
		e.told = now
		e.p.say("%s", echoWarning(l, e.duck))
	}
}

// echoWarning says what is wrong, and what to do.
func echoWarning(l echo.Loop, ducks bool) string {
	meanwhile := "--duck makes it quieter by itself"
	if ducks {
		meanwhile = "it is 20 dB quieter until then"
	}
	return fmt.Sprintf("ECHO: your microphone hears the room, %d ms late (%.0f dB), and everybody hears themselves. "+
		"Wear headphones, or turn off the other device that plays the room; %s", l.Delay.Milliseconds(), l.Gain, meanwhile)
}

func (e *ear) over() {
	e.looping.Store(false)
	e.told = time.Time{}
	e.speaker.ReportEcho(client.Echo{})
	e.p.say("the echo is gone")
}

// line is what there is to see of it.
func (e *ear) line() string {
	if e.looping.Load() {
		return "  ECHO"
	}
	var b strings.Builder
	for _, t := range e.listener.Stats().Tracks {
		if t.Live && t.PacketMS > 0 {
			b.WriteString("  hears " + cut(printable(t.Speaker), 16))
		}
	}
	return b.String()
}
