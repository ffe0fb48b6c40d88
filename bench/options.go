package bench

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/protocol"
)

// Options say what to measure. The zero value of each field works.
type Options struct {
	// Listeners is how many listen. Zero means 600 for a fan-out and 100 for
	// latency.
	Listeners int

	// Packet is how much audio a datagram to a listener carries: 20, 60 or 120 ms.
	// Zero means 20 ms.
	Packet time.Duration

	// Duration is how long is measured, rounded up to 120 ms, without what it
	// takes to join and settle, and without the baseline. Zero means 60 s for a
	// fan-out and 30 s for latency.
	Duration time.Duration

	// Transport is how the listeners connect: [crowd.QUIC] or
	// [crowd.WebTransport]. Empty means QUIC.
	Transport string

	// Bytes is the size of each 20 ms Opus packet. Zero means 80, speech at
	// 32 kbit/s.
	Bytes int

	// Baseline measures the plain loop in turns with the relay.
	Baseline bool

	// Relay is the https:// URL of a relay that runs already, and PID its process
	// on this machine. Empty starts one. Token is for a relay that wants one.
	Relay string
	PID   int
	Token string

	// Room is where the voice speaks. Empty means "bench".
	Room string

	// Freeze is how many further listeners, in a process of their own, stop
	// reading in the middle, for FreezeFor; zero means 10 s.
	Freeze    int
	FreezeFor time.Duration

	// Rate is how many listeners join a second. Zero means 200.
	Rate int

	// Profile is a file that takes a CPU profile of the relay in its first slice,
	// which costs some of that CPU. Empty takes none.
	Profile string

	// Executable has the verbs relay, bench bare-server and bench frozen. Empty
	// means this program.
	Executable string

	// Progress is told how far a step is, by one goroutine at a time. Nil tells
	// nobody.
	Progress func(step string, done, total int)
}

var (
	// ErrOptions says that what was asked for cannot be measured.
	ErrOptions = errors.New("options")
	// ErrInterrupted says that a measurement was ended before its time.
	ErrInterrupted = errors.New("interrupted")
)

// MaxListeners is as many as fit the ports and the patience of one machine.
const MaxListeners = 100_000

// tracks are the tracks by how much audio a datagram of theirs carries.
var tracks = map[time.Duration]string{
	20 * time.Millisecond:  protocol.TrackAudio,
	60 * time.Millisecond:  protocol.Track60,
	120 * time.Millisecond: protocol.Track120,
}

func (o Options) withDefaults(listeners int, duration time.Duration) (Options, error) {
	o.Listeners = cmp.Or(o.Listeners, listeners)
	o.Duration = cmp.Or(o.Duration, duration)
	o.Packet = cmp.Or(o.Packet, voice.Every)
	o.Transport = cmp.Or(o.Transport, crowd.QUIC)
	o.Bytes = cmp.Or(o.Bytes, 80)
	o.Room = cmp.Or(o.Room, "bench")
	o.FreezeFor = cmp.Or(o.FreezeFor, 10*time.Second)
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return o, err
		}
		o.Executable = self
	}
	if err := o.check(); err != nil {
		return o, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return o, nil
}

func (o Options) check() error {
	switch {
	case o.Listeners < 1 || o.Listeners > MaxListeners:
		return fmt.Errorf("%d listeners: want 1 to %d", o.Listeners, MaxListeners)
	case tracks[o.Packet] == "":
		return fmt.Errorf("packets of %v: want 20ms, 60ms or 120ms", o.Packet)
	case o.Duration < time.Second || o.Duration > time.Hour:
		return fmt.Errorf("a duration of %v: want 1s to 1h", o.Duration)
	case !slices.Contains(crowd.Transports, o.Transport):
		return fmt.Errorf("transport %q: want %s", o.Transport, strings.Join(crowd.Transports, " or "))
	case o.Bytes < voice.MinBytes || o.Bytes > o.maxBytes():
		return fmt.Errorf("packets of %d bytes: want %d to %d, so that %v of audio fit a datagram",
			o.Bytes, voice.MinBytes, o.maxBytes(), o.Packet)
	case o.Rate < 0 || o.Rate > 10_000:
		return fmt.Errorf("%d listeners joining a second: want 1 to 10000", o.Rate)
	case o.Freeze < 0 || o.Freeze > o.Listeners:
		return fmt.Errorf("%d frozen listeners: want 0 to as many as listen", o.Freeze)
	case o.Freeze > 0 && (o.FreezeFor < time.Second || 2*o.FreezeFor > o.Duration):
		return fmt.Errorf("frozen for %v of %v: want at least 1s, and at most half of the time, the other half being what it is compared with",
			o.FreezeFor, o.Duration)
	}
	if _, err := protocol.ParsePath(o.Room); err != nil {
		return fmt.Errorf("room: %w", err)
	}
	if err := o.checkTarget(); err != nil {
		return err
	}
	return o.checkMachine()
}

// maxBytes is what may stand in each Opus packet for a bundle of them to fit a
// datagram: subscription, sequence and timestamp take 24 bytes at most, a length
// two, the legacy container's timestamp eight.
func (o Options) maxBytes() int {
	const room = protocol.MaxDatagram - 24
	if n := o.slots(); n > 1 {
		return room/n - 2
	}
	return room - 8
}

// slots is how many Opus packets a datagram to a listener carries.
func (o Options) slots() int { return int(o.Packet / voice.Every) }

// packets is how many Opus packets the measured time has.
func (o Options) packets() int { return alignedPackets(o.Duration) }

// alignedPackets is a time in Opus packets, rounded up to whole bundles.
func alignedPackets(d time.Duration) int {
	const bundle = voice.Align * voice.Every
	return int((d + bundle - 1) / bundle * voice.Align)
}

func (o Options) checkTarget() error {
	if o.Relay == "" {
		if o.PID != 0 || o.Token != "" {
			return errors.New("a process id or a token without the URL of the relay they are for")
		}
		return nil
	}
	u, err := url.Parse(o.Relay)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("relay %q: want https://HOST:PORT", o.Relay)
	}
	if o.Profile != "" {
		return errors.New("a profile is taken of a relay that is started here; take that of another one from its admin address, /debug/pprof/profile")
	}
	if o.PID < 0 {
		return fmt.Errorf("process %d: want the process id of the relay", o.PID)
	}
	return nil
}

// What a listener takes in memory, in bytes, all processes together: generous
// estimates that keep a machine from swapping, not measurements.
const (
	listenerMemory = 400 << 10
	baselineMemory = 400 << 10
)

// checkMachine refuses what this machine cannot hold before anything is started.
func (o Options) checkMachine() error {
	each := int64(listenerMemory) + 4*int64(o.packets()/o.slots())
	if o.Baseline {
		each += baselineMemory + 4*int64(o.packets())
	}
	need := each * int64(o.Listeners)
	free, err := process.AvailableMemory()
	if err == nil && need > free {
		return fmt.Errorf("%d listeners for %v take about %d MB of memory and %d MB are free: ask for fewer, or for less time",
			o.Listeners, o.Duration, need>>20, free>>20)
	}
	sockets := 2*crowd.Sockets(o.Listeners) + spareFiles
	if limit := openFiles(); limit > 0 && sockets > limit {
		return fmt.Errorf("%d listeners take about %d open files and %d are allowed: raise it with 'ulimit -n %d'",
			o.Listeners, sockets, limit, sockets)
	}
	return nil
}

// spareFiles is what a process has open besides listeners' sockets.
const spareFiles = 64
