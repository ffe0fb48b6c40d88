package audio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/sample"
)

func ExampleOpen() {
	src, err := audio.Open("speech.wav", audio.Options{Loop: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	fmt.Println("speaking", src.Info().Kind, src.Info().Duration)
}

// What cannot be spoken is called by its name.
func ExampleNew_refused() {
	for _, file := range []string{"%PDF-1.7", "fLaC\x00\x00\x00\x22"} {
		_, err := audio.New(strings.NewReader(file), audio.Options{})
		fmt.Println(err)
	}
	// Output:
	// not audio but a PDF document; give an Ogg Opus or a WAV file
	// FLAC is unsupported: convert it first, with "ffmpeg -i FILE -ac 1 -c:a libopus NEW.opus", for example
}

// The clip that comes with the package is sent as it is.
func ExampleNew() {
	src, err := audio.New(bytes.NewReader(sample.Voice), audio.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	packets := 0
	for {
		_, _, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		packets++
	}
	fmt.Println(src.Info().Kind, packets)
	// Output: Ogg Opus 1458
}
