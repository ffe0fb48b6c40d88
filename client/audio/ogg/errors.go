package ogg

import "errors"

var (
	// ErrNotOgg is for bytes that do not begin with an Ogg page.
	ErrNotOgg = errors.New("not an Ogg file")

	// ErrNotOpus is for an Ogg file that holds something else than Opus; the
	// text names the codec where it is a known one.
	ErrNotOpus = errors.New("not Opus")

	// ErrChannels is for more than two channels (RFC 7845 §5.1.1, mapping
	// families other than 0).
	ErrChannels = errors.New("neither mono nor stereo")

	// ErrMultiplexed is for a file in which pages of a second stream, such as
	// video, lie between those of the first (RFC 3533 §4).
	ErrMultiplexed = errors.New("holds several streams at once")

	// ErrChained is for a second stream that begins after the first ended (RFC
	// 3533 §4). The packets before it have all been returned.
	ErrChained = errors.New("a second stream follows the first")

	// ErrTruncated is for a file that ends inside a page or a packet. The
	// packets of the pages before have all been returned.
	ErrTruncated = errors.New("the file ends early")

	// ErrCorrupt is for bytes that contradict themselves: a wrong checksum, no
	// page where one should begin, a packet that is not Opus.
	ErrCorrupt = errors.New("damaged")
)
