package ogg

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxPacket bounds what a file can make the reader hold. The longest valid Opus
// packet, 120 ms in 48 frames of 1275 bytes, has about 61,300 (RFC 7845 §6).
const maxPacket = 1 << 16

// maxPosition is a position no recording reaches: 47,000 years. What is beyond
// counts as unknown, so that sums stay in 64 bits.
const maxPosition = 1 << 56

// A Packet is one Opus packet of a file and its place in time.
type Packet struct {
	Data    []byte // as the encoder made it
	Samples int    // how long it plays at 48 kHz, before Trim

	// Position is that of the first sample, at 48 kHz and before pre-skip is
	// taken off. Where it is larger than the end of the packet before, there is
	// a hole in the recording.
	Position int64

	// Trim is how many samples at the end are not to be played (RFC 7845
	// §4.4). Only the last packets of a file have any.
	Trim int
}

// A Reader gives the packets of an Ogg Opus file one after the other, byte for
// byte. It reads forward only, so a pipe will do. Not for concurrent use.
type Reader struct {
	in      *bufio.Reader
	head    Head
	at      int64 // of page in the file
	offset  int64 // of the next page
	serial  uint32
	page    page
	asm     assembler
	raw     []raw    // scratch for the packets of a page
	ready   []Packet // of the last page, not given out yet
	end     int64    // position after the last packet of ready
	started bool     // a page with audio was read
	last    bool     // the page that ends the stream was read
	err     error    // what Next returns once ready is empty
}

// NewReader reads the two headers of the Ogg Opus file r. Its errors wrap
// [ErrNotOgg], [ErrNotOpus], [ErrChannels], [ErrMultiplexed], [ErrTruncated] or
// [ErrCorrupt], or are those of r.
func NewReader(r io.Reader) (*Reader, error) {
	o := &Reader{in: bufio.NewReader(r), asm: assembler{keep: maxPacket}}
	if start, err := o.in.Peek(len(capture)); string(start) != capture {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, ErrNotOgg
	}
	if err := o.readHead(); err != nil {
		return nil, o.place(err)
	}
	if err := o.readTags(); err != nil {
		return nil, o.place(err)
	}
	return o, nil
}

// Head returns the identification header.
func (o *Reader) Head() Head { return o.head }

// Next returns the next packet; the caller may keep its bytes. It returns
// [io.EOF] at the end of the stream, also if the file ends at a page without
// being marked as the last, which is how a recording that was killed looks. Other
// errors wrap one of this package's or are the reader's; they come after all
// packets of the pages before the damage, and last.
func (o *Reader) Next() (Packet, error) {
	for len(o.ready) == 0 {
		if o.err == nil {
			o.err = o.place(o.readAudio())
		}
		if len(o.ready) == 0 && o.err != nil {
			return Packet{}, o.err
		}
	}
	p := o.ready[0]
	o.ready = o.ready[1:]
	return p, nil
}

// readPage reads a page into o.page. The end of the file is io.EOF.
func (o *Reader) readPage() error {
	o.at = o.offset
	n, err := o.page.read(o.in)
	o.offset += n
	return err
}

// place adds to an error where the page begins that it is about.
func (o *Reader) place(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("ogg page at byte %d: %w", o.at, err)
}

// readHead takes the first page: OpusHead alone (RFC 7845 §3).
func (o *Reader) readHead() error {
	if err := o.readPage(); err != nil {
		return unexpected(err)
	}
	if o.page.flags&flagFirst == 0 {
		return fmt.Errorf("%w: the start of the stream is missing", ErrCorrupt)
	}
	o.serial = o.page.serial
	o.raw = o.asm.add(&o.page, o.raw[:0])
	if len(o.raw) != 1 || o.asm.open {
		return fmt.Errorf("%w: the first page does not hold one packet", ErrNotOpus)
	}
	var err error
	o.head, err = parseHead(o.raw[0].data)
	return err
}

// readTags takes the pages of the comment header, of which nothing is kept:
// pictures in it may be large.
func (o *Reader) readTags() error {
	o.asm.keep = len("OpusTags")
	defer func() { o.asm.keep = maxPacket }()
	for {
		if err := o.readPage(); err != nil {
			return unexpected(err)
		}
		if err := o.checkStream(); err != nil {
			return err
		}
		o.raw = o.asm.add(&o.page, o.raw[:0])
		if len(o.raw) == 0 {
			continue
		}
		if string(o.raw[0].data) != "OpusTags" {
			return fmt.Errorf("%w: no OpusTags after OpusHead", ErrCorrupt)
		}
		if len(o.raw) > 1 || o.asm.open {
			return fmt.Errorf("%w: audio on the page of OpusTags", ErrCorrupt)
		}
		return nil
	}
}

// unexpected is for a file that ends before its headers do.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}

// checkStream refuses pages that are not of the stream being read.
func (o *Reader) checkStream() error {
	p := &o.page
	switch {
	case o.last && p.flags&flagFirst != 0:
		return o.chained()
	case o.last:
		return fmt.Errorf("%w: pages after the last one", ErrCorrupt)
	case p.serial != o.serial:
		return ErrMultiplexed
	case p.flags&flagFirst != 0:
		return fmt.Errorf("%w: the stream starts twice", ErrCorrupt)
	}
	return nil
}

// chained says what follows the end of the stream.
func (o *Reader) chained() error {
	at := float64(o.end-int64(o.head.PreSkip)) / Rate
	next, err := parseHead(o.page.body)
	switch {
	case err != nil:
		return fmt.Errorf("%w: after %.1f s, %w", ErrChained, at, err)
	case next.Channels != o.head.Channels:
		return fmt.Errorf("%w: after %.1f s, and has %d channels instead of %d",
			ErrChained, at, next.Channels, o.head.Channels)
	}
	return fmt.Errorf("%w: after %.1f s", ErrChained, at)
}

// readAudio reads one page and puts the packets that end on it into o.ready.
func (o *Reader) readAudio() error {
	err := o.readPage()
	switch {
	case errors.Is(err, io.EOF) && o.asm.open && !o.last:
		return ErrTruncated
	case o.last && (errors.Is(err, ErrCorrupt) || errors.Is(err, ErrTruncated)):
		return io.EOF // padding or tags that some program put behind the stream
	case err != nil:
		return err
	}
	if err := o.checkStream(); err != nil {
		return err
	}
	o.last = o.page.flags&flagLast != 0
	o.raw = o.asm.add(&o.page, o.raw[:0])
	return o.locate()
}

// locate gives the packets of the page their places in time. The page says
// where the last of them ends; what is before it follows from their durations
// (RFC 7845 §4).
func (o *Reader) locate() error {
	if len(o.raw) == 0 {
		return nil
	}
	var total int64
	ready := o.ready[:0]
	for i, r := range o.raw {
		if r.size > len(r.data) {
			return fmt.Errorf("%w: a packet of %d bytes", ErrCorrupt, r.size)
		}
		samples, err := duration(r.data)
		if err != nil {
			return fmt.Errorf("%w: packet %d of the page: %w", ErrCorrupt, i, err)
		}
		ready = append(ready, Packet{Data: r.data, Samples: samples})
		total += int64(samples)
	}
	o.ready = ready

	// A page that claims to end before its packets do is shortened at its end if
	// it is the last, and else wrong: then the packets simply follow each other.
	granule := o.page.granule
	if granule < 0 || granule > maxPosition {
		granule = noPosition
	}
	start := max(o.end, granule-total)
	if !o.started && granule >= total {
		start = granule - total // a recording cut out of a longer one
	}
	o.started = true
	for i := range o.ready {
		p := &o.ready[i]
		p.Position = start
		start += int64(p.Samples)
		if o.last && granule != noPosition {
			p.Trim = int(min(max(start-granule, 0), int64(p.Samples)))
		}
	}
	o.end = start
	return nil
}
