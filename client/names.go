package client

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxName is how many characters a room's or a speaker's name may have.
const MaxName = 128

// CheckName says what is wrong with the name of a room or a speaker: it is one
// segment of a path, in any script and with spaces if need be. The error is
// [ErrAddress].
func CheckName(name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8")
	case utf8.RuneCountInString(name) > MaxName:
		return fmt.Errorf("the name has %d characters, %d are allowed", utf8.RuneCountInString(name), MaxName)
	case name[0] == '.':
		return fmt.Errorf("the name %q starts with a dot, which is reserved", name)
	}
	for _, r := range name {
		switch {
		case r == '/':
			return fmt.Errorf("the name %q has a slash, which separates room and speaker", name)
		case unicode.IsControl(r):
			return fmt.Errorf("the name %q has a control character", name)
		}
	}
	return nil
}
