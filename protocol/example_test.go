package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/stentor-audio/stentor/protocol"
)

// A publisher writes a group stream; a subscriber reads it to its end.
func Example() {
	stream := protocol.StreamGroup.Append(nil)
	stream = protocol.GroupHeader{SubscribeID: 5, Sequence: 812}.Append(stream)
	packet := protocol.AppendLegacy(nil, 16240000, []byte{0xf8, 0xff, 0xfe})
	stream = protocol.Frame{Timestamp: 16240000, Payload: packet}.Append(stream, 0, protocol.Lite05)

	r := protocol.NewReader(bytes.NewReader(stream))
	if kind, err := r.StreamType(); err != nil || kind != protocol.StreamGroup {
		fmt.Println("not a group:", kind, err)
		return
	}
	header, err := r.GroupHeader()
	fmt.Println("group", header.Sequence, err)
	for prev := uint64(0); ; {
		frame, err := r.Frame(prev, protocol.Lite05)
		if errors.Is(err, io.EOF) {
			fmt.Println("end of the group")
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		prev = frame.Timestamp
		micros, opus, err := protocol.ParseLegacy(frame.Payload)
		fmt.Printf("%d µs, %d bytes of Opus, %v\n", micros, len(opus), err)
	}
	// Output:
	// group 812 <nil>
	// 16240000 µs, 3 bytes of Opus, <nil>
	// end of the group
}
