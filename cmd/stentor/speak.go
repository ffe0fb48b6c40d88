package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/device"
	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/relay/stage"
)

func speakCommand() *cli.Command {
	return &cli.Command{
		Name:  "speak",
		Usage: "speak into a room: a file, standard input or the microphone",
		UsageText: "stentor speak --room R --name N FILE        an Ogg Opus or WAV file\n" +
			"stentor speak --room R --name N --mic       the microphone\n" +
			"stentor speak --room R --name N -           s16le, 48 kHz, mono on standard input\n" +
			"stentor speak --room R --name N --mic --listen   and hear the others on stage\n\n" +
			"Example: stentor speak --relay https://127.0.0.1:4443 --room town --name ada --loop voice.opus",
		Description: "Sends in real time. Packets of 20 ms in an Ogg Opus file go out byte for byte; everything\n" +
			"else is encoded. The voice is live on two relays, so that either may go away; others, learnt\n" +
			"from these, take their places, and take what they missed of the last five seconds.\n\n" +
			"With --listen an echo guard compares what is played with what the microphone brings, and warns\n" +
			"you, and the room's hosts, when a loudspeaker or a second device feeds the room back into it.",
		OnUsageError: usageError,
		Flags: append(append(sessionFlags(), earFlags()...),
			&cli.StringFlag{Name: "room", Usage: "`ROOM` to speak in", EnvVars: env("room")},
			&cli.StringFlag{Name: "name", Usage: "`NAME` to speak under; unique in the room", EnvVars: env("name")},
			&cli.BoolFlag{Name: "mic", Usage: "speak from the microphone; silence is not sent", EnvVars: env("mic")},
			&cli.BoolFlag{Name: "loop", Usage: "repeat the file for ever", EnvVars: env("loop")},
			&cli.IntFlag{Name: "bitrate", Value: 32000, Usage: "`BIT/S` of what is encoded", EnvVars: env("bitrate")},
		),
		Action: runSpeak,
	}
}

func runSpeak(c *cli.Context) error {
	p := newProgress(os.Stderr)
	o, err := speakOptions(c, p)
	if err != nil {
		return err
	}
	ear, err := openEar(c, p)
	if err != nil {
		return err
	}
	if ear != nil {
		defer ear.close()
	}
	src, err := openSource(c, p.terminal, ear)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	info := src.Info()
	o.Channels = info.Channels
	if info.Bitrate > 0 {
		o.Bitrate = info.Bitrate
	}
	opens, standing := &opening{p: p}, &standing{p: p, name: o.Name}
	o.OnRoom = func(v stage.View) {
		opens.told(v)
		standing.told(v)
	}
	if info.Damage != nil {
		p.say("the file is damaged and will end early: %v", info.Damage)
	}
	speaker, err := client.NewSpeaker(o)
	if err != nil {
		return err
	}
	if ear != nil {
		if err := ear.attach(c, speaker, o); err != nil {
			return err
		}
	}
	return speak(c.Context, speaker, src, ear, func() { sayBegin(p, o, info) }, p)
}

func speakOptions(c *cli.Context, p *progress) (client.SpeakOptions, error) {
	log, err := p.logger(c.String("log-level"))
	if err != nil {
		return client.SpeakOptions{}, err
	}
	dial, err := dialOptions(c, log)
	if err != nil {
		return client.SpeakOptions{}, err
	}
	if err := needRoom(c); err != nil {
		return client.SpeakOptions{}, err
	}
	if c.String("name") == "" {
		return client.SpeakOptions{}, usagef("--name is missing; see 'stentor speak --help'")
	}
	o := client.SpeakOptions{
		Room:           c.String("room"),
		Name:           c.String("name"),
		Relays:         relays(c, c.String("room"), c.String("name")),
		Dial:           dial,
		Bitrate:        c.Int("bitrate"),
		SkipSilence:    c.Bool("mic"),
		ConnectTimeout: c.Duration("connect-timeout"),
		Logger:         log,
	}
	// What is wrong with the options should be said before a microphone opens.
	_, err = client.NewSpeaker(o)
	return o, err
}

// openSource opens what is to be said. Packets that pass through are decoded for
// their level only if somebody sees it.
func openSource(c *cli.Context, meter bool, ear *ear) (*audio.Source, error) {
	args := c.Args()
	o := audio.Options{
		Encoder: opus.EncoderConfig{Bitrate: c.Int("bitrate")},
		Loop:    c.Bool("loop"),
		Meter:   meter,
	}
	if ear != nil && ear.watch != nil {
		o.Heard = ear.watch.Heard
	}
	switch {
	case args.Len() > 1:
		return nil, usagef("one FILE at a time, not %q; flags come before it", args.Slice())
	case c.Bool("mic") && args.Present():
		return nil, usagef("--mic and %q exclude each other", args.First())
	case c.Bool("mic") && o.Loop:
		return nil, usagef("--loop is for files")
	case c.Bool("mic"):
		return openMicrophone(o)
	case !args.Present():
		return nil, usagef("what is to be said? give a FILE, - or --mic; see 'stentor speak --help'")
	}
	src, err := audio.Open(args.First(), o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("%w", err)
	}
	return src, err
}

func openMicrophone(o audio.Options) (*audio.Source, error) {
	mic, err := device.OpenMicrophone(device.Config{})
	if err != nil {
		return nil, err
	}
	o.Encoder.DTX = true
	src, err := audio.Encode("microphone", mic, device.Rate, mic.Channels(), o)
	if err != nil {
		_ = mic.Close()
	}
	return src, err
}

// speak plays src and ends the broadcast in order, also when ctx ends: listeners
// then hear the last word.
func speak(ctx context.Context, speaker *client.Speaker, src *audio.Source, ear *ear, begun func(), p *progress) error {
	sessions, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- speaker.Run(sessions) }()

	shown := make(chan struct{})
	drawn := make(chan struct{})
	err := speaker.WaitReady(ctx)
	if err == nil {
		begun()
		start := time.Now()
		defer ear.begin(sessions)()
		go func() {
			defer close(drawn)
			watchRelays(p, speaker, shown, func(st client.SpeakerStats) string {
				line := speakLine(st, src.Info(), time.Since(start))
				if ear != nil {
					line += ear.line()
				}
				return line
			})
		}()
		err = playUntil(ctx, speaker, src)
		close(shown)
		<-drawn
	}
	speaker.Close()
	if cause := <-ended; !errors.Is(cause, client.ErrEnded) {
		return cause
	}
	if ctx.Err() != nil {
		err = nil // somebody has heard enough, and that is no failure
	}
	if sent := speaker.Stats().Sent; sent > 0 {
		p.say("spoke %s, %s", count(sent, "packet"), clock(time.Duration(sent)*client.FrameDuration))
	}
	return err
}

// playUntil plays src until it or ctx ends. A source that blocks, as a pipe does,
// is closed then.
func playUntil(ctx context.Context, speaker *client.Speaker, src *audio.Source) error {
	played := make(chan error, 1)
	go func() { played <- speaker.Play(ctx, src) }()
	select {
	case err := <-played:
		return err
	case <-ctx.Done():
		_ = src.Close()
		return context.Cause(ctx)
	}
}

func sayBegin(p *progress, o client.SpeakOptions, info audio.Info) {
	what := info.Kind
	if info.Duration > 0 {
		what += ", " + clock(info.Duration)
	}
	if info.Encoded {
		what += fmt.Sprintf(", encoded at %d kbit/s", info.Bitrate/1000)
	} else {
		what += ", packets as they are"
	}
	p.say("speaking as %s in %s (%s)", printable(o.Name), printable(o.Room), what)
}

// watchRelays says which relays carry the voice, whenever that has changed, and
// draws the line that changes, until stop is closed.
func watchRelays(p *progress, speaker *client.Speaker, stop <-chan struct{}, line func(client.SpeakerStats) string) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	var said string
	var since time.Time
	var is string
	for {
		st := speaker.Stats()
		if now := liveOn(st); now != is {
			is, since = now, time.Now()
		} else if is != said && time.Since(since) >= relaysFor {
			said = is
			p.say("%s", is)
		}
		p.show(line(st))
		select {
		case <-tick.C:
		case <-stop:
			if is != said {
				p.say("%s", is)
			}
			p.clear()
			return
		}
	}
}

// relaysFor is how long the relays must have been the same to be told: one takes
// another's place within half a second.
const relaysFor = 500 * time.Millisecond

// liveOn names the relays that carry the voice.
func liveOn(st client.SpeakerStats) string {
	var up []string
	for _, r := range st.Relays {
		if r.Up {
			up = append(up, printable(r.Name))
		}
	}
	switch len(up) {
	case 0:
		return "no relay is reached; trying"
	case 1:
		return "live on " + up[0] + " only"
	}
	return "live on " + strings.Join(up, " and ")
}

func liveCount(st client.SpeakerStats) (n int) {
	for _, r := range st.Relays {
		if r.Up {
			n++
		}
	}
	return n
}

// speakLine is the line that changes.
func speakLine(st client.SpeakerStats, info audio.Info, elapsed time.Duration) string {
	var b strings.Builder
	b.WriteString(clock(elapsed))
	if info.Duration > 0 {
		b.WriteString(" / " + clock(info.Duration))
	}
	fmt.Fprintf(&b, "  %s %4.0f dB  %s", meter(decibels(st.Level), 20), max(decibels(st.Level), -99), count(st.Sent, "packet"))
	if up := liveCount(st); up != 2 {
		fmt.Fprintf(&b, "  %s", count(uint64(up), "relay"))
	}
	if st.Lagged+st.NoCredit > 0 {
		fmt.Fprintf(&b, "  %d dropped by a slow relay", st.Lagged+st.NoCredit)
	}
	return b.String()
}
