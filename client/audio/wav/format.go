package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var (
	// ErrNotWAV is for bytes that do not begin like a WAV file.
	ErrNotWAV = errors.New("not a WAV file")

	// ErrUnsupported is for a WAV file whose samples are of another kind than
	// those of [Encoding], have more than two channels or an absurd rate. The
	// text says which.
	ErrUnsupported = errors.New("unsupported")

	// ErrCorrupt is for a header that contradicts itself, or has no samples
	// behind it.
	ErrCorrupt = errors.New("damaged")

	// ErrTruncated is for a file that ends before its header says. The samples
	// up to there have all been returned.
	ErrTruncated = errors.New("the file ends early")
)

// Encoding is how a sample is stored.
type Encoding uint8

// The encodings that can be read; all but PCM8 and Float64 can be written.
const (
	PCM16   Encoding = iota // signed, little-endian, like the next two
	PCM24                   //
	PCM32                   //
	Float32                 // IEEE 754, full scale is ±1
	PCM8                    // unsigned, 128 is silence
	Float64                 // IEEE 754
)

var encodings = [...]struct {
	name  string
	bytes int
	tag   uint16
}{
	PCM16:   {"PCM16", 2, tagPCM},
	PCM24:   {"PCM24", 3, tagPCM},
	PCM32:   {"PCM32", 4, tagPCM},
	Float32: {"float32", 4, tagFloat},
	PCM8:    {"PCM8", 1, tagPCM},
	Float64: {"float64", 8, tagFloat},
}

// String returns a name such as "PCM16".
func (e Encoding) String() string {
	if int(e) >= len(encodings) {
		return fmt.Sprintf("Encoding(%d)", uint8(e))
	}
	return encodings[e].name
}

// Bounds of what a file may ask for. Telephones have 8 kHz, studios 384 kHz.
const (
	MinRate = 2000
	MaxRate = 768000
)

// Format is what the samples of a file are.
type Format struct {
	Rate     int // Hz, MinRate to MaxRate
	Channels int // 1 or 2
	Encoding Encoding
}

func (f Format) check() error {
	switch {
	case f.Rate < MinRate || f.Rate > MaxRate:
		return fmt.Errorf("%w: a sample rate of %d Hz", ErrUnsupported, f.Rate)
	case f.Channels < 1 || f.Channels > 2:
		return fmt.Errorf("%w: %d channels, mono or stereo wanted", ErrUnsupported, f.Channels)
	}
	return nil
}

// frame is the size of one sample of every channel, in bytes.
func (f Format) frame() int { return f.Channels * encodings[f.Encoding].bytes }

// Format tags (mmreg.h, WAVE_FORMAT_…).
const (
	tagPCM        = 1
	tagFloat      = 3
	tagExtensible = 0xfffe
)

var tagNames = map[uint16]string{
	2: "Microsoft ADPCM", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM", 0x31: "GSM",
	0x50: "MPEG audio", 0x55: "MP3", 0xff: "AAC",
}

// subformat is what follows the tag in the GUID of WAVE_FORMAT_EXTENSIBLE.
const subformat = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// parseFormat reads the body of a "fmt " chunk:
//
//	tag (2) · channels (2) · rate (4) · bytes per second (4) · bytes per frame (2) ·
//	bits per sample (2)
//
// and, if extensible,
//
//	size of the rest (2) · valid bits (2) · speakers (4) · tag (2) · GUID's rest (14)
//
// The bytes per second are not looked at: they follow from the others and are
// often wrong.
func parseFormat(b []byte) (Format, error) {
	if len(b) < 16 {
		return Format{}, fmt.Errorf("%w: format chunk of %d bytes, 16 at least", ErrCorrupt, len(b))
	}
	tag := binary.LittleEndian.Uint16(b)
	f := Format{
		Channels: int(binary.LittleEndian.Uint16(b[2:])),
		Rate:     int(binary.LittleEndian.Uint32(b[4:])),
	}
	frame := int(binary.LittleEndian.Uint16(b[12:]))
	bits := int(binary.LittleEndian.Uint16(b[14:]))
	if tag == tagExtensible {
		if len(b) < 40 || string(b[26:40]) != subformat {
			return Format{}, fmt.Errorf("%w: an extensible format that names no known one", ErrUnsupported)
		}
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	if err := f.check(); err != nil {
		return Format{}, err
	}
	for e, enc := range encodings {
		// A sample of 20 bits lies in three bytes, at their upper end.
		if enc.tag == tag && enc.bytes == (bits+7)/8 {
			f.Encoding = Encoding(e)
			if frame != f.frame() {
				return Format{}, fmt.Errorf("%w: %d bytes a frame for %d channels of %s", ErrCorrupt, frame, f.Channels, f.Encoding)
			}
			return f, nil
		}
	}
	if name, ok := tagNames[tag]; ok {
		return Format{}, fmt.Errorf("%w: compressed with %s", ErrUnsupported, name)
	}
	return Format{}, fmt.Errorf("%w: format %#x with %d bits", ErrUnsupported, tag, bits)
}

// append writes the body of a "fmt " chunk after b: the plain one, or above 16
// bits of PCM the extensible one, which its makers ask for there.
func (f Format) append(b []byte) []byte {
	enc := encodings[f.Encoding]
	tag := enc.tag
	if tag == tagPCM && enc.bytes > 2 {
		tag = tagExtensible
	}
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, uint16(f.Channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.Rate*f.frame()))
	b = binary.LittleEndian.AppendUint16(b, uint16(f.frame()))
	b = binary.LittleEndian.AppendUint16(b, uint16(8*enc.bytes))
	switch tag {
	case tagPCM:
		return b
	case tagFloat:
		return append(b, 0, 0) // an empty extension, so that there is one
	}
	speakers := uint32(0x4) // front centre
	if f.Channels == 2 {
		speakers = 0x3 // front left, front right
	}
	b = binary.LittleEndian.AppendUint16(b, 22)
	b = binary.LittleEndian.AppendUint16(b, uint16(8*enc.bytes))
	b = binary.LittleEndian.AppendUint32(b, speakers)
	b = binary.LittleEndian.AppendUint16(b, enc.tag)
	return append(b, subformat...)
}

// decode reads one sample.
func (e Encoding) decode(b []byte) float32 {
	switch e {
	case PCM8:
		return (float32(b[0]) - 128) / (1 << 7)
	case PCM16:
		return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case PCM24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
	case PCM32:
		return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
	case Float32:
		return finite(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	default:
		return finite(float32(math.Float64frombits(binary.LittleEndian.Uint64(b))))
	}
}

// finite keeps what is not a number, and infinity, out of filters and encoders,
// which would never forget it.
func finite(x float32) float32 {
	if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
		return 0
	}
	return x
}

// encode writes one sample after b. Beyond ±1, PCM clips.
func (e Encoding) encode(b []byte, x float32) []byte {
	x = finite(x)
	switch e {
	case PCM16:
		return binary.LittleEndian.AppendUint16(b, uint16(quantize(x, 16)))
	case PCM24:
		v := uint32(quantize(x, 24))
		return append(b, byte(v), byte(v>>8), byte(v>>16))
	case PCM32:
		return binary.LittleEndian.AppendUint32(b, uint32(quantize(x, 32)))
	default:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
}

// quantize returns the nearest integer of that many bits.
func quantize(x float32, bits int) int32 {
	full := float64(int64(1) << (bits - 1))
	return int32(min(max(math.RoundToEven(float64(x)*full), -full), full-1))
}
