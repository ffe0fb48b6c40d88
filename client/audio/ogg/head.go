package ogg

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Rate is the sample rate of every position and length in an Ogg Opus file,
// whatever the rate of the recording was (RFC 7845 §4).
const Rate = 48000

// A Head is the identification header of an Ogg Opus file (RFC 7845 §5.1):
//
//	"OpusHead" · version (1) · channels (1) · pre-skip (2) · input rate (4) ·
//	output gain (2) · mapping family (1)
type Head struct {
	Channels  int    // 1 or 2
	PreSkip   int    // samples to drop at the start of playing, 0 to 65535
	InputRate uint32 // of the recording before it was encoded, Hz; 0 unknown
	Gain      int16  // to apply when playing, in 1/256 dB
}

const headSize = 19

// append writes h after b.
func (h Head) append(b []byte) []byte {
	b = append(b, "OpusHead"...)
	b = append(b, 1, byte(h.Channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.PreSkip))
	b = binary.LittleEndian.AppendUint32(b, h.InputRate)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Gain))
	return append(b, 0)
}

// parseHead reads the first packet of a stream.
func parseHead(b []byte) (Head, error) {
	if !strings.HasPrefix(string(b), "OpusHead") {
		return Head{}, fmt.Errorf("%w but %s", ErrNotOpus, codec(b))
	}
	if len(b) < headSize {
		return Head{}, fmt.Errorf("%w: OpusHead of %d bytes, %d at least", ErrCorrupt, len(b), headSize)
	}
	// The upper four bits change when a reader of version 1 must give up.
	if version := b[8]; version>>4 != 0 {
		return Head{}, fmt.Errorf("%w: OpusHead version %d, only 1 is known", ErrNotOpus, version)
	}
	h := Head{
		Channels:  int(b[9]),
		PreSkip:   int(binary.LittleEndian.Uint16(b[10:])),
		InputRate: binary.LittleEndian.Uint32(b[12:]),
		Gain:      int16(binary.LittleEndian.Uint16(b[16:])),
	}
	if family := b[18]; family != 0 || h.Channels < 1 || h.Channels > 2 {
		return Head{}, fmt.Errorf("%w: %d channels in mapping family %d", ErrChannels, h.Channels, family)
	}
	return h, nil
}

// codec names what the first packet of an Ogg stream belongs to.
func codec(b []byte) string {
	for _, c := range []struct{ magic, name string }{
		{"\x01vorbis", "Vorbis"},
		{"\x7fFLAC", "FLAC"},
		{"Speex   ", "Speex"},
		{"\x80theora", "Theora video"},
		{"fishead\x00", "a Skeleton of several streams"},
		{"BBCD\x00", "Dirac video"},
	} {
		if strings.HasPrefix(string(b), c.magic) {
			return c.name
		}
	}
	return "an unknown codec"
}

// appendTags writes the comment header after b (RFC 7845 §5.2):
//
//	"OpusTags" · vendor length (4) · vendor · number of comments (4) ·
//	for each its length (4) and "NAME=value"
func appendTags(b []byte, vendor string, comments []string) []byte {
	text := func(s string) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = append(b, "OpusTags"...)
	text(vendor)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(comments)))
	for _, c := range comments {
		text(c)
	}
	return b
}
