package protocol

import (
	"fmt"
	"time"
)

const (
	maxOpusFrame    = 1275                   // bytes (RFC 6716 §3.2.1)
	maxOpusDuration = 120 * time.Millisecond // of a packet (RFC 6716 §3.2.5)
)

// OpusInfo is what an Opus packet says about itself without being decoded.
type OpusInfo struct {
	TOC
	Frames   int           // 1 to 48
	Duration time.Duration // of all frames, at most 120 ms
}

// ParseOpus checks that a packet, which must not be of the self-delimiting form,
// is well formed, R1 to R7 of RFC 6716 §3.4, and says what it holds. It does not
// look into the frames.
func ParseOpus(packet []byte) (OpusInfo, error) {
	if len(packet) == 0 {
		return OpusInfo{}, opusError(1, "empty packet")
	}
	info := OpusInfo{TOC: TOC(packet[0]), Frames: 1}
	body := packet[1:]
	var err error
	switch info.Code() {
	case 0:
		err = checkOpusFrame(len(body))
	case 1:
		info.Frames = 2
		err = checkOpusPair(len(body))
	case 2:
		info.Frames = 2
		err = checkOpusFrames(body, 2, 4)
	case 3:
		info.Frames, err = parseOpusMany(body, info.FrameDuration())
	}
	if err != nil {
		return OpusInfo{}, err
	}
	info.Duration = time.Duration(info.Frames) * info.FrameDuration()
	return info, nil
}

// opusError names the requirement of RFC 6716 §3.4 that a packet breaks.
func opusError(requirement int, why string) error {
	return fmt.Errorf("opus: %w: %s (R%d)", ErrMalformed, why, requirement)
}

func checkOpusFrame(size int) error {
	if size > maxOpusFrame {
		return opusError(2, "frame above 1275 bytes")
	}
	return nil
}

// checkOpusPair checks a body of two frames of equal size.
func checkOpusPair(size int) error {
	if size%2 != 0 {
		return opusError(3, "two equal frames in an odd number of bytes")
	}
	return checkOpusFrame(size / 2)
}

// parseOpusMany reads what follows the TOC of a code 3 packet (RFC 6716 §3.2.5)
// and returns the number of frames.
func parseOpusMany(b []byte, frame time.Duration) (int, error) {
	if len(b) == 0 {
		return 0, opusError(6, "no frame count")
	}
	variable, padded, frames := b[0]&0x80 != 0, b[0]&0x40 != 0, int(b[0]&0x3f)
	if frames == 0 || time.Duration(frames)*frame > maxOpusDuration {
		return 0, opusError(5, "no frame, or more than 120 ms")
	}
	b = b[1:]
	if padded {
		var ok bool
		if b, ok = cutOpusPadding(b); !ok {
			return 0, opusError(6, "padding longer than the packet")
		}
	}
	if variable {
		return frames, checkOpusFrames(b, frames, 7)
	}
	if len(b)%frames != 0 {
		return 0, opusError(6, "equal frames do not divide the packet")
	}
	return frames, checkOpusFrame(len(b) / frames)
}

// cutOpusPadding takes the padding's length off the front and the padding off
// the end. Each byte 255 adds 254 and says that another byte follows.
func cutOpusPadding(b []byte) ([]byte, bool) {
	for padding := 0; len(b) > 0; {
		n := int(b[0])
		b = b[1:]
		if n < 255 {
			padding += n
			return b[:max(0, len(b)-padding)], padding <= len(b)
		}
		padding += 254
	}
	return nil, false
}

// checkOpusFrames checks frames of different sizes, in code 2 (requirement 4) and
// code 3 (requirement 7): the sizes of all but the last stand in front, then
// come the frames.
func checkOpusFrames(b []byte, frames, requirement int) error {
	sum := 0
	for range frames - 1 {
		size, n := opusFrameSize(b)
		if n == 0 {
			return opusError(requirement, "ends inside the frame sizes")
		}
		b = b[n:]
		sum += size
	}
	if sum > len(b) {
		return opusError(requirement, "frames longer than the packet")
	}
	return checkOpusFrame(len(b) - sum)
}

// opusFrameSize reads the size of a frame and says how many bytes that took, 0
// if b is too short. It reaches exactly 1275.
func opusFrameSize(b []byte) (size, n int) {
	switch {
	case len(b) > 0 && b[0] < 252:
		return int(b[0]), 1
	case len(b) > 1:
		return 4*int(b[1]) + int(b[0]), 2
	}
	return 0, 0
}
