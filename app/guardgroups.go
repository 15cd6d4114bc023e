package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"understudy/driver/process"
)

// What the guard of local processes is told is plain text, a line for each thing:
//
//	mark 5f…e1 4700      processes of session 4700 with this mark are the balancer's
//	begun 4711 123456    there is process group 4711, and the process that leads it began at tick 123456
//	over 4711 123456     it is over
//	bye                  the balancer ends in order

// GuardGroupsCommand is the hidden command that a balancer runs as the guard of its workers' process groups.
const GuardGroupsCommand = "guard-groups"

const (
	wordBegun = "begun"
	wordOver  = "over"
	wordMark  = "mark"
)

func groupLine(word string, g process.Group) string {
	return fmt.Sprintf("%s %d %d\n", word, g.ID, g.Began)
}

func markLine(m process.Mark) string {
	return fmt.Sprintf("%s %s %d\n", wordMark, m.Token, m.Session)
}

// Left is what a balancer of local processes leaves.
type Left struct {
	Groups []process.Group
	Mark   process.Mark
}

// Kill ends all of it: what is in the groups, then what was started before anybody could tell of its group.
func (l Left) Kill() {
	for _, group := range l.Groups {
		group.Kill()
	}
	l.Mark.Kill()
}

// GroupsLeft reads what a balancer says of its process groups until it has ended, however it does, and returns what it left. It leaves nothing
// when it says bye.
func GroupsLeft(pipe io.Reader) Left {
	there, mark := map[int]process.Group{}, process.Mark{}
	r := bufio.NewReader(pipe)
	for long := false; ; {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true // nothing of ours is: what is left of it is no line either
			continue
		case err != nil: // what has no end is not said
			return Left{slices.SortedFunc(maps.Values(there), func(a, b process.Group) int { return a.ID - b.ID }), mark}
		case long:
			long = false
			continue
		case string(line) == guardBye:
			return Left{}
		}
		words := strings.Fields(string(line))
		if len(words) == 3 && words[0] == wordMark {
			mark = hearMark(mark, words)
			continue
		}
		hear(there, words)
	}
}

// hear keeps the list. What makes no sense changes nothing: a group that is not clearly named must not be killed.
func hear(there map[int]process.Group, words []string) {
	if len(words) != 3 {
		return
	}
	id, err1 := strconv.Atoi(words[1])
	began, err2 := strconv.ParseUint(words[2], 10, 64)
	if err1 != nil || err2 != nil || id <= 1 {
		return
	}
	group := process.Group{ID: id, Began: began}
	switch words[0] {
	case wordBegun:
		there[id] = group
	case wordOver:
		forget(there, group)
	}
}

func hearMark(known process.Mark, words []string) process.Mark {
	session, err := strconv.ParseUint(words[2], 10, 64)
	if err != nil {
		return known
	}
	return process.Mark{Token: words[1], Session: session}
}

// forget takes a group off a list, unless its number is another one's already: that may have been told before.
func forget(there map[int]process.Group, group process.Group) {
	if there[group.ID] == group {
		delete(there, group.ID)
	}
}
