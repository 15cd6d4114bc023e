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
//	begun 4711 123456    there is process group 4711, and the process that leads it began at tick 123456
//	over 4711 123456     it is over
//	bye                  the balancer ends in order

// GuardGroupsCommand is the hidden command that a balancer runs as the guard of its workers' process groups.
const GuardGroupsCommand = "guard-groups"

const (
	wordBegun = "begun"
	wordOver  = "over"
)

func groupLine(word string, g process.Group) string {
	return fmt.Sprintf("%s %d %d\n", word, g.ID, g.Began)
}

// GroupsLeft reads what a balancer says of its process groups until it has ended, however it does, and returns those that it left. It leaves none
// when it says bye.
func GroupsLeft(pipe io.Reader) []process.Group {
	there := map[int]process.Group{}
	r := bufio.NewReader(pipe)
	for long := false; ; {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true // nothing of ours is: what is left of it is no line either
			continue
		case err != nil: // what has no end is not said
			return slices.SortedFunc(maps.Values(there), func(a, b process.Group) int { return a.ID - b.ID })
		case long:
			long = false
			continue
		case string(line) == guardBye:
			return nil
		}
		hear(there, string(line))
	}
}

// hear keeps the list. What makes no sense changes nothing: a group that is not clearly named must not be killed.
func hear(there map[int]process.Group, line string) {
	words := strings.Fields(line)
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

// forget takes a group off a list, unless its number is another one's already: that may have been told before.
func forget(there map[int]process.Group, group process.Group) {
	if there[group.ID] == group {
		delete(there, group.ID)
	}
}
