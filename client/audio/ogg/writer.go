package ogg

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
)

// pagePackets is how many packets a page holds at most: half a second of 20 ms
// packets. That is what a recording loses when it is killed; a page costs 27
// bytes, 1 % of speech at 32 kbit/s.
const pagePackets = 25

// WriterConfig tunes a [Writer]. The zero value is a working one.
type WriterConfig struct {
	// Channels is 1 or 2. Zero means 1. Packets may differ from it, players
	// convert.
	Channels int

	// PreSkip is how many samples at 48 kHz players drop at the start, 0 to
	// 65535. Zero means 312, the delay of libopus; a negative value means none.
	// It must be shorter than the recording.
	PreSkip int

	// InputRate is that of the sound before it was encoded, in Hz, for
	// information. Zero means 48000.
	InputRate uint32

	// Gain is what players apply, in 1/256 dB.
	Gain int16

	// Serial tells the stream from others in the same file. Zero means a random
	// number.
	Serial uint32

	// Vendor names the program that encoded. Empty means "stentor".
	Vendor string

	// Comments are tags of the form "TITLE=…".
	Comments []string
}

func (c WriterConfig) withDefaults() WriterConfig {
	c.Channels = cmp.Or(c.Channels, 1)
	c.PreSkip = max(cmp.Or(c.PreSkip, 312), 0)
	c.InputRate = cmp.Or(c.InputRate, Rate)
	c.Serial = cmp.Or(c.Serial, rand.Uint32())
	c.Vendor = cmp.Or(c.Vendor, "stentor")
	return c
}

// A Writer writes an Ogg Opus file, packets byte for byte, and forward only.
// What it has written is at any moment a file that can be played, short of the
// last half second, which it holds back until it knows what follows. Not for
// concurrent use.
type Writer struct {
	out      io.Writer
	buf      []byte
	page     page  // being filled
	packets  int   // that end on page
	position int64 // after the last packet
	gap      int64 // between the last packet and the next
	started  bool  // a packet was written
	err      error // the first of out; nothing is written after it
}

// ErrClosed is what a [Writer] returns after Close.
var ErrClosed = errors.New("ogg: closed")

// NewWriter writes the two headers to w. The caller closes w, after the Writer.
func NewWriter(w io.Writer, cfg WriterConfig) (*Writer, error) {
	cfg = cfg.withDefaults()
	if cfg.Channels < 1 || cfg.Channels > 2 {
		return nil, fmt.Errorf("ogg: %w: %d channels", ErrChannels, cfg.Channels)
	}
	if cfg.PreSkip > 0xffff {
		return nil, fmt.Errorf("ogg: pre-skip of %d samples, 65535 at most", cfg.PreSkip)
	}
	o := &Writer{out: w, page: page{flags: flagFirst, serial: cfg.Serial}}
	head := Head{Channels: cfg.Channels, PreSkip: cfg.PreSkip, InputRate: cfg.InputRate, Gain: cfg.Gain}
	o.add(head.append(nil))
	o.flush(0)
	o.add(appendTags(nil, cfg.Vendor, cfg.Comments))
	o.flush(0)
	return o, o.err
}

// WritePacket adds one Opus packet, whatever its duration. A packet that is not
// Opus is refused and changes nothing.
func (o *Writer) WritePacket(opus []byte) error {
	if o.err != nil {
		return o.err
	}
	samples, err := duration(opus)
	if err != nil {
		return fmt.Errorf("ogg: %w", err)
	}
	if o.gap > 0 {
		// A page says only where its last packet ends, so that the one after
		// the gap must be the first of its page.
		o.endPage()
		o.position += o.gap
		o.gap = 0
	}
	segments := len(opus)/maxSegment + 1
	if o.packets == pagePackets || len(o.page.lacing)+segments > maxSegments {
		o.endPage()
	}
	o.add(opus)
	o.position += int64(samples)
	o.page.granule = o.position
	o.packets++
	o.started = true
	return o.err
}

// Skip leaves samples at 48 kHz empty before the next packet: packets that
// never came, or silence that was not sent. Before the first packet it does
// nothing, for a file begins with its first packet.
func (o *Writer) Skip(samples int64) {
	if o.started && samples > 0 {
		o.gap += samples
	}
}

// Samples is how long the recording is so far, at 48 kHz and with pre-skip.
func (o *Writer) Samples() int64 { return o.position }

// Close writes what is held back and marks the end of the stream.
func (o *Writer) Close() error {
	if errors.Is(o.err, ErrClosed) {
		return nil
	}
	o.page.flags |= flagLast
	o.flush(o.position)
	err := o.err
	o.err = ErrClosed
	return err
}

// endPage writes the page being filled, if there is anything on it.
func (o *Writer) endPage() {
	if len(o.page.lacing) > 0 {
		o.flush(o.page.granule)
	}
}

// add laces packet into the page being filled and writes each page it fills up.
func (o *Writer) add(packet []byte) {
	begun := false
	for {
		rest, done := o.page.lace(packet)
		if done {
			return
		}
		begun = begun || len(rest) < len(packet)
		granule := int64(noPosition)
		if o.packets > 0 {
			granule = o.page.granule
		}
		o.flush(granule)
		if begun {
			o.page.flags = flagContinued
		}
		packet = rest
	}
}

// flush writes the page being filled and begins the next.
func (o *Writer) flush(granule int64) {
	o.page.granule = granule
	o.buf = o.page.append(o.buf[:0])
	if o.err == nil {
		_, o.err = o.out.Write(o.buf)
	}
	o.page = page{
		serial:   o.page.serial,
		sequence: o.page.sequence + 1,
		granule:  noPosition,
		lacing:   o.page.lacing[:0],
		body:     o.page.body[:0],
	}
	o.packets = 0
}
