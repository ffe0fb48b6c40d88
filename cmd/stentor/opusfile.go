package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/playout"
)

// errNothingHeard is a recording without anything in it.
var errNothingHeard = errors.New("nobody was heard")

// opusFile records the packets of one speaker, byte for byte and in order. Where
// one is missing, or the speaker was silent, the file's own time goes on.
type opusFile struct {
	path   string
	frames *client.Frames
	p      *progress

	listener *client.Listener
	failed   error // of run: what came since is not written

	speaker string // whom the file is of; the first who is heard
	others  map[string]bool

	file *os.File
	buf  *bufio.Writer
	ogg  *ogg.Writer

	origin  uint64
	last    uint64    // timestamp of the last packet
	lost    uint64    // frames lost since then
	written time.Time // when
}

func newOpusFile(path string, buffer playout.Config, p *progress) *opusFile {
	return &opusFile{path: path, frames: client.NewFrames(buffer), p: p, others: make(map[string]bool)}
}

func (o *opusFile) output() client.Output { return o.frames }

func (o *opusFile) run(ctx context.Context, l *client.Listener) error {
	o.listener = l
	for {
		select {
		case f := <-o.frames.C():
			if o.failed = o.take(f, l); o.failed != nil {
				return o.failed
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// drain takes what came before the listener ended, which is later than run did:
// what the stats count is in the file.
func (o *opusFile) drain() error {
	for o.failed == nil {
		select {
		case f := <-o.frames.C():
			o.failed = o.take(f, o.listener)
		default:
			return nil
		}
	}
	return o.failed
}

func (o *opusFile) take(f client.Frame, l *client.Listener) error {
	if o.ogg == nil {
		if f.Lost {
			return nil // a file begins with a packet
		}
		if err := o.begin(f, l); err != nil {
			return err
		}
	}
	if f.Track.Speaker != o.speaker {
		if !o.others[f.Track.Speaker] {
			o.others[f.Track.Speaker] = true
			o.p.say("%s is not recorded: the file is %s's", printable(f.Track.Speaker), printable(o.speaker))
		}
		return nil
	}
	if f.Lost {
		o.lost++
		return nil
	}
	return o.write(f)
}

// begin makes the file, of whom is heard first. Where several speak already it
// would be chance who that is.
func (o *opusFile) begin(f client.Frame, l *client.Listener) error {
	var names []string
	for _, t := range l.Stats().Tracks {
		if t.Live && !slices.Contains(names, t.Speaker) {
			names = append(names, t.Speaker)
		}
	}
	if len(names) > 1 {
		return usagef("%s speak in this room, and an .opus file holds one of them: choose with --speaker, or mix them with --out FILE.wav",
			printable(strings.Join(names, ", ")))
	}
	file, err := os.Create(o.path)
	if err != nil {
		return err
	}
	o.file, o.buf, o.speaker = file, bufio.NewWriter(file), f.Track.Speaker
	o.origin, o.last = f.Track.Origin, f.Timestamp
	o.ogg, err = ogg.NewWriter(o.buf, ogg.WriterConfig{
		Channels:  f.Track.Channels,
		InputRate: uint32(f.Track.SampleRate),
		Comments:  []string{"TITLE=" + f.Track.Room, "ARTIST=" + f.Track.Speaker},
	})
	return err
}

const (
	frameMicros = uint64(client.FrameDuration / time.Microsecond)
	// roughly is how far a timestamp may be from where it should be before the
	// speaker was silent in between.
	roughly = frameMicros / 2
)

// write adds a packet, after the time in which there was none.
func (o *opusFile) write(f client.Frame) error {
	gap := o.lost * playout.FrameSamples
	expected := o.last + (o.lost+1)*frameMicros
	// No gap can be longer than the time since the last packet came, whatever a
	// speaker's clock says.
	elapsed := uint64(time.Since(o.written).Microseconds()) + 10*frameMicros
	switch {
	case f.Track.Origin != o.origin && !o.written.IsZero():
		gap = elapsed * playout.SampleRate / 1_000_000
	case f.Timestamp > expected+roughly && !o.written.IsZero():
		gap += min(f.Timestamp-expected, elapsed) * playout.SampleRate / 1_000_000
	}
	o.ogg.Skip(int64(gap))
	o.origin, o.last, o.lost, o.written = f.Track.Origin, f.Timestamp, 0, time.Now()
	if err := o.ogg.WritePacket(f.Opus); err != nil {
		return fmt.Errorf("%s: %w", o.path, err)
	}
	return nil
}

func (o *opusFile) line(st client.Stats) string {
	for _, t := range st.Tracks {
		if t.Expected > 0 {
			return fmt.Sprintf("%s  %s  lost %d (%.2f %%)  repaired %d", cut(printable(t.Speaker), 20), count(t.Played, "packet"),
				t.Lost, 100*float64(t.Lost)/float64(t.Expected), t.Repaired)
		}
	}
	return "waiting"
}

func (o *opusFile) close() error {
	err := o.drain()
	if o.ogg == nil {
		if err != nil {
			return err
		}
		return fmt.Errorf("%w; %s was not written", errNothingHeard, o.path)
	}
	if missed := o.frames.Missed(); missed > 0 {
		o.p.say("%s missing in %s: the disk was too slow", count(missed, "packet"), o.path)
	}
	if closeErr := o.ogg.Close(); err == nil {
		err = closeErr
	}
	if flushErr := o.buf.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := o.file.Close(); err == nil {
		err = closeErr
	}
	return err
}
