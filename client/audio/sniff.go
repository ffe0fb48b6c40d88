package audio

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	oggFile = "Ogg"
	wavFile = "WAV"

	wanted = "give an Ogg Opus or a WAV file"
)

// A kind is what a file seems to be.
type kind struct {
	name  string
	audio bool
}

// magics are what files begin with. A dot stands for any byte.
var magics = []struct {
	magic string
	kind  kind
}{
	{"OggS", kind{oggFile, true}},
	{"RIFF....WAVE", kind{wavFile, true}},
	{"RF64....WAVE", kind{wavFile, true}},
	{"BW64....WAVE", kind{wavFile, true}},

	{"fLaC", kind{"FLAC", true}},
	{"ID3", kind{"MP3", true}},
	{"FORM....AIF", kind{"AIFF", true}},
	{".snd", kind{"Sun audio", true}},
	{"caff", kind{"Core Audio", true}},
	{"#!AMR", kind{"AMR", true}},
	{"....ftypM4A", kind{"MPEG-4 audio (M4A)", true}},
	{"....ftyp", kind{"MPEG-4", true}},
	{"\x1aE\xdf\xa3", kind{"Matroska or WebM", true}},
	{"\x30\x26\xb2\x75\x8e\x66\xcf\x11", kind{"Windows Media", true}},
	{"MThd", kind{"MIDI", true}},

	{"\x89PNG\r\n", kind{"a PNG image", false}},
	{"\xff\xd8\xff", kind{"a JPEG image", false}},
	{"GIF8", kind{"a GIF image", false}},
	{"RIFF....WEBP", kind{"a WebP image", false}},
	{"RIFF....AVI ", kind{"AVI", true}},
	{"%PDF-", kind{"a PDF document", false}},
	{"PK\x03\x04", kind{"a ZIP archive or office document", false}},
	{"\x1f\x8b", kind{"compressed with gzip", false}},
	{"\x7fELF", kind{"a program", false}},
	{"MZ", kind{"a program", false}},
}

// sniff tells what a file is by its first bytes.
func sniff(head []byte) kind {
	for _, m := range magics {
		if matches(head, m.magic) {
			return m.kind
		}
	}
	switch {
	case len(head) == 0:
		return kind{}
	case len(head) > 1 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		return kind{"AAC", true}
	case len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0 && head[1]&0x06 != 0:
		return kind{"MP3", true}
	case isText(head):
		return kind{"text", false}
	}
	return kind{"of an unknown kind", false}
}

func matches(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '.' && head[i] != magic[i] {
			return false
		}
	}
	return true
}

// isText allows for a character that is cut at the end of head.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return len(head) < utf8.UTFMax
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r) {
			return false
		}
		head = head[n:]
	}
	return true
}

// refuse says what a file is that cannot be spoken, and what to do.
func (k kind) refuse() error {
	switch {
	case k.name == "":
		return fmt.Errorf("the file is empty: %w; %s", ErrEmpty, wanted)
	case k.audio:
		return unsupported(k.name)
	}
	return fmt.Errorf("%w but %s; %s", ErrNotAudio, k.name, wanted)
}

// unsupported says how to make something of a file of another format.
func unsupported(what string) error {
	return fmt.Errorf("%s is %w: convert it first, with \"ffmpeg -i FILE -ac 1 -c:a libopus NEW.opus\", for example",
		what, ErrUnsupported)
}
