# A stand-in for OpenWrt's configuration tool `uci`, for tests alone: its commands, options, exit codes, quoting, names
# of anonymous sections, delta files in /tmp/.uci, and the traps that a driver has to live with. What it does was taken
# from measurements of the real one; test/router/test-router/uci.unit.test.ts holds the table of them against it.
# It knows neither import, reorder nor configuration outside the configuration folder, and says so with exit code 250.

BEGIN {
  for (i = 1; i < 256; i++) ORD[sprintf("%c", i)] = i
  split("Out of memory,Invalid argument,Entry not found,I/O error,Parse error,Duplicate entry,Unknown error", TEXTS, ",")
  INVAL = 2; NOTFOUND = 3; PARSE = 5
  CONFDIR = "/etc/config"; SAVEDIR = "/tmp/.uci"; DELIMITER = " "; EXTENDED = 1
  # What stands in for the radios reads what is committed alone.
  paths = COMMITTED ? 0 : 1; PATH[1] = SAVEDIR
  at = 1
  while (at < ARGC && ARGV[at] ~ /^-./) {
    letters = substr(ARGV[at], 2); at++
    while (letters != "") {
      letter = substr(letters, 1, 1); letters = substr(letters, 2)
      if (index("cCdfpPt", letter)) {
        word = letters
        if (word == "") word = ARGV[at++]
        letters = ""
      }
      if (letter == "c") CONFDIR = word
      else if (letter == "d") DELIMITER = word
      else if (letter == "q") QUIET = 1
      else if (letter == "X") EXTENDED = 0
      else if (letter == "p") { PATH[paths + 1] = PATH[paths]; PATH[paths] = word; paths++ }
      else if (letter == "P" || letter == "t") {
        # The default folder stays one that is read: what others staged there is seen, and committed.
        PATH[++paths] = word; SAVEDIR = word
        if (letter == "P") NOCOMMIT = 1
      }
      else if (!index("CLNSmns", letter)) usage(0)
    }
  }
  if (at >= ARGC) usage(0)
  for (i = at; i < ARGC; i++) A[i - at + 1] = ARGV[i]
  code = command(ARGC - at)
  if (code == 255) usage(255)
  exit code
}

function usage(code) {
  print "Usage: uci [<options>] <command> [<arguments>]" > "/dev/stderr"
  exit code
}

function complain(error) {
  if (!QUIET) print "uci: " TEXTS[error] (error == PARSE ? REASON : "") > "/dev/stderr"
  REASON = ""
  return 1
}

# One command with its arguments in A; the exit code.
function command(count, name) {
  name = tolower(A[1])
  if (name == "batch" && !IN_BATCH) return batch()
  if (name ~ /^(show|changes|export|commit)$/) return package_commands(name, count)
  if (name ~ /^(get|set|ren|rename|revert|del|delete|add_list|del_list)$/) return section_command(name, count)
  if (name == "add") return add(count)
  if (name ~ /^(import|reorder)$/) { print "uci: this stand-in has no " name > "/dev/stderr"; exit 250 }
  return 255
}

function batch(count, token) {
  IN_BATCH = 1
  while (read_line("/dev/stdin")) {
    count = 0
    while (1) {
      if (count == 4) { if (!QUIET) print "Too many arguments" > "/dev/stderr"; break }
      token = argument()
      if (FAULT) { complain(PARSE); count = 0; break }
      if (token == "") break
      A[++count] = token
    }
    if (count == 0 || count == 4) continue
    if (tolower(A[1]) == "exit") break
    if (command(count) == 255 && !QUIET) print "Unknown command" > "/dev/stderr"
  }
  # Whatever failed: so it is.
  return 0
}

# --- words of a line ---------------------------------------------------------------------------------------------

function read_line(source) {
  SOURCE = source
  if ((getline LINE < source) <= 0) return 0
  LINE_NUMBER++; POS = 1
  return 1
}

# The next word, without its quotes; empty at the end of a command. FAULT is set when it does not end.
function argument(word, c, next_line) {
  FAULT = 0
  while (POS <= length(LINE) && substr(LINE, POS, 1) ~ /[ \t\r\n\v\f]/) POS++
  if (substr(LINE, POS, 1) == ";") { LINE = ""; return "" }
  word = ""
  while (POS <= length(LINE)) {
    c = substr(LINE, POS, 1)
    if (c ~ /[ \t\r\n\v\f]/) { POS++; break }
    if (c == "#") { LINE = substr(LINE, 1, POS - 1); break }
    if (c == ";") break
    if (c == "'" || c == "\"") {
      POS++
      while (1) {
        if (POS > length(LINE)) {
          if ((getline next_line < SOURCE) <= 0) {
            FAULT = 1; REASON = " (EOF with unterminated " c ")"
            return ""
          }
          LINE_NUMBER++; word = word "\n"; LINE = next_line; POS = 1
          continue
        }
        d = substr(LINE, POS, 1)
        if (d == c) { POS++; break }
        if (d == "\\" && c == "\"") { POS++; d = substr(LINE, POS, 1) }
        word = word d; POS++
      }
    } else if (c == "\\") {
      if (POS == length(LINE)) {
        if ((getline next_line < SOURCE) <= 0) next_line = ""
        LINE_NUMBER++; LINE = next_line; POS = 1
      } else { word = word substr(LINE, POS + 1, 1); POS += 2 }
    } else { word = word c; POS++ }
  }
  return word
}

# --- a package in memory -----------------------------------------------------------------------------------------

function forget() {
  split("", SECTION); split("", NAME); split("", TYPE); split("", ANONYMOUS); split("", COUNT); split("", OPTION)
  split("", KIND); split("", VALUE); split("", ITEMS); split("", ITEM); split("", SAVED); split("", DELTA)
  SECTIONS = 0; IDS = 0; NUMBER = 0; SAVEDS = 0; DELTAS = 0
}

# Reads a package with what is staged for it. Returns an error, 0 when all is well.
function load(package, path, i, error) {
  forget()
  PACKAGE = package
  path = CONFDIR "/" package
  error = parse_file(path)
  if (error) return error
  for (i = 1; i <= paths; i++) load_delta(PATH[i] "/" package)
  return 0
}

function parse_file(path, word, current, name, value, status, type) {
  if ((status = (getline LINE < path)) < 0 || path ~ /\/$/) return NOTFOUND
  close(path); LINE_NUMBER = 0
  while (read_line(path)) {
    sub(/^[ \t\r\n\v\f]+/, "", LINE)
    if (LINE == "" || LINE ~ /^#/) continue
    match(LINE, /^[^ \t]+/); word = substr(LINE, 1, RLENGTH); POS = RLENGTH + 1
    if (word == "package" || word == "p") continue
    if (word == "config" || word == "c") {
      type = argument(); if (FAULT) return broken(path)
      name = argument(); if (FAULT || argument() != "") return broken(path)
      if (type !~ /^[!-~]+$/) return broken(path)
      if (name == "") current = add_section(type, "", 1)
      else {
        if (name !~ /^[A-Za-z0-9_]+$/) return broken(path)
        current = find(name)
        if (!current) current = add_section(type, name, 0)
        else if (TYPE[current] != type) return broken(path)
      }
    } else if (word ~ /^(option|o|list|l)$/) {
      if (!current) return broken(path)
      name = argument(); if (FAULT || name !~ /^[A-Za-z0-9_]+$/) return broken(path)
      value = argument(); if (FAULT || argument() != "") return broken(path)
      if (word ~ /^l/) push_item(current, name, value)
      else if (value != "") put_option(current, name, value)
      else drop_option(current, name)
    } else return broken(path)
  }
  close(path)
  return 0
}

function broken(path) {
  close(path)
  REASON = " (invalid command) at line " LINE_NUMBER ", byte 0"
  return PARSE
}

function find(name, i) {
  for (i = 1; i <= SECTIONS; i++) if (NAME[SECTION[i]] == name) return SECTION[i]
  return 0
}

function add_section(type, name, anonymous, id) {
  NUMBER++
  id = ++IDS
  SECTION[++SECTIONS] = id
  TYPE[id] = type; ANONYMOUS[id] = anonymous; COUNT[id] = 0
  NAME[id] = name != "" ? name : sprintf("cfg%02x%04x", NUMBER, hash(type) % 65536)
  return id
}

# D. J. Bernstein's hash, in 31 bits.
function hash(text, sum, i) {
  sum = 5381
  for (i = 1; i <= length(text); i++) sum = (sum * 33 + ORD[substr(text, i, 1)]) % 4294967296
  return sum % 2147483648
}

function has(id, name) { return (id, name) in KIND }

function put_option(id, name, value) {
  if (!has(id, name)) OPTION[id, ++COUNT[id]] = name
  KIND[id, name] = "option"; VALUE[id, name] = value
}

function push_item(id, name, value) {
  if (!has(id, name)) { OPTION[id, ++COUNT[id]] = name; ITEMS[id, name] = 0 }
  else if (KIND[id, name] == "option") { ITEMS[id, name] = 1; ITEM[id, name, 1] = VALUE[id, name] }
  KIND[id, name] = "list"
  ITEM[id, name, ++ITEMS[id, name]] = value
}

function drop_item(id, name, place, i) {
  for (i = place; i < ITEMS[id, name]; i++) ITEM[id, name, i] = ITEM[id, name, i + 1]
  ITEMS[id, name]--
}

function drop_option(id, name, i, from) {
  if (!has(id, name)) return
  for (i = 1; i <= COUNT[id]; i++) if (OPTION[id, i] == name) { from = i; break }
  for (i = from; i < COUNT[id]; i++) OPTION[id, i] = OPTION[id, i + 1]
  COUNT[id]--
  delete KIND[id, name]; delete VALUE[id, name]; delete ITEMS[id, name]
}

function drop_section(id, i, from) {
  for (i = 1; i <= SECTIONS; i++) if (SECTION[i] == id) { from = i; break }
  for (i = from; i < SECTIONS; i++) SECTION[i] = SECTION[i + 1]
  SECTIONS--
}

# --- what is staged ----------------------------------------------------------------------------------------------

# A line of a delta file is a sign (+ add, - remove, @ rename, | list item, ~ list item gone, none: set) and a tuple.
function load_delta(path, sign, word) {
  while (read_line(path)) {
    word = argument()
    if (FAULT || word == "") continue
    sign = substr(word, 1, 1)
    if (index("+-@^|~", sign)) word = substr(word, 2); else sign = "="
    if (parse_tuple(word) || P_PACKAGE != PACKAGE || P_SECTION == "" || P_INDEXED) continue
    if (sign != "-" && !P_HAS_VALUE || sign == "@" && P_VALUE !~ /^[A-Za-z0-9_]+$/) continue
    if (index("|~", sign) && P_OPTION == "") continue
    SAVED[++SAVEDS] = sign; SAVED[SAVEDS, "section"] = P_SECTION
    SAVED[SAVEDS, "option"] = P_OPTION; SAVED[SAVEDS, "value"] = P_VALUE
    REPLAYING = 1
    locate()
    if (sign == "+") { if (!set() && P_OPTION == "" && P_S) ANONYMOUS[P_S] = 1 }
    else if (sign == "=") set()
    else if (sign == "-") remove()
    else if (sign == "@") rename()
    else if (sign == "|") add_item()
    else if (sign == "~") remove_item()
    REPLAYING = 0
  }
  close(path)
}

function stage(sign, section, option, value) {
  if (REPLAYING) return
  DELTA[++DELTAS] = staged_line(sign == "=" ? "" : sign, section, option, value)
}

function staged_line(sign, section, option, value) {
  return sign PACKAGE "." section (option == "" ? "" : "." option) (sign == "-" && value == "" ? "" : "=" quoted(value))
}

function save(i, path) {
  if (!DELTAS) return 0
  system("[ -d '" SAVEDIR "' ] || mkdir -m 700 '" SAVEDIR "'")
  path = SAVEDIR "/" PACKAGE
  for (i = 1; i <= DELTAS; i++) print DELTA[i] >> path
  close(path)
  DELTAS = 0
  return 0
}

function escaped(text) {
  gsub(/'/, "'\\''", text)
  return text
}

function quoted(text) { return "'" escaped(text) "'" }

# --- tuples: package.section.option=value ------------------------------------------------------------------------

function parse_tuple(text, equals, count, parts) {
  P_HAS_VALUE = 0; P_VALUE = ""; P_SECTION = ""; P_OPTION = ""; P_S = 0; P_COMPLETE = 0; P_INDEXED = 0
  equals = index(text, "=")
  if (equals) { P_HAS_VALUE = 1; P_VALUE = substr(text, equals + 1); text = substr(text, 1, equals - 1) }
  count = split(text, parts, ".")
  P_PACKAGE = parts[1]
  if (count > 3 || P_PACKAGE !~ /^[!-~]+$/) return PARSE
  if (count > 1) { P_SECTION = parts[2]; P_INDEXED = P_SECTION !~ /^[A-Za-z0-9_]+$/ }
  if (count > 2) { P_OPTION = parts[3]; if (P_OPTION !~ /^[A-Za-z0-9_]+$/) return PARSE }
  if (P_VALUE ~ /[\001-\010\013\014\016-\037]/) return PARSE
  return 0
}

# Finds what the tuple names in the package that is loaded. Returns an error.
function locate(open, type, place, i, seen, total) {
  P_S = 0; P_COMPLETE = 0
  if (P_SECTION == "" && !P_INDEXED) { P_COMPLETE = 1; return 0 }
  if (P_INDEXED) {
    if (P_SECTION !~ /^@[^[]*\[-?[0-9]+\]$/) return INVAL
    open = index(P_SECTION, "[")
    type = substr(P_SECTION, 2, open - 2)
    place = substr(P_SECTION, open + 1, length(P_SECTION) - open - 1) + 0
    for (i = 1; i <= SECTIONS; i++) if (type == "" || TYPE[SECTION[i]] == type) total++
    if (place < 0) place += total
    for (i = 1; i <= SECTIONS; i++) {
      if (type != "" && TYPE[SECTION[i]] != type) continue
      if (seen++ == place) { P_S = SECTION[i]; P_SECTION = NAME[P_S]; break }
    }
  } else P_S = find(P_SECTION)
  if (P_S && (P_OPTION == "" || has(P_S, P_OPTION))) P_COMPLETE = 1
  return 0
}

function look_up(text, error) {
  error = parse_tuple(text)
  if (!error) error = load(P_PACKAGE)
  if (!error) { parse_tuple(text); error = locate() }
  return error
}

# --- changes -----------------------------------------------------------------------------------------------------

function set() {
  if (!P_HAS_VALUE) return INVAL
  if (!P_S && (P_OPTION != "" || P_SECTION == "")) return INVAL
  if (P_OPTION == "" && P_VALUE != "" && P_VALUE !~ /^[!-~]+$/) return INVAL
  if (P_VALUE == "") return P_COMPLETE ? remove() : 0
  if (P_OPTION != "") {
    if (has(P_S, P_OPTION) && KIND[P_S, P_OPTION] == "option" && VALUE[P_S, P_OPTION] == P_VALUE) return 0
    put_option(P_S, P_OPTION, P_VALUE)
  } else if (!P_S) P_S = add_section(P_VALUE, P_SECTION, 0)
  else {
    if (TYPE[P_S] == P_VALUE) return 0
    if (length(TYPE[P_S]) != length(P_VALUE)) ANONYMOUS[P_S] = 0
    TYPE[P_S] = P_VALUE
  }
  stage("=", P_SECTION, P_OPTION, P_VALUE)
  return 0
}

function remove() {
  if (!P_COMPLETE) return NOTFOUND
  if (!P_S) return INVAL
  if (P_OPTION != "" && KIND[P_S, P_OPTION] == "list" && P_VALUE != "") {
    if (P_VALUE + 0 < ITEMS[P_S, P_OPTION]) {
      stage("-", P_SECTION, P_OPTION, P_VALUE)
      drop_item(P_S, P_OPTION, P_VALUE + 1)
    }
    return 0
  }
  stage("-", P_SECTION, P_OPTION, "")
  if (P_OPTION != "") drop_option(P_S, P_OPTION); else drop_section(P_S)
  return 0
}

function rename(i, name) {
  if (!P_COMPLETE) return NOTFOUND
  if (!P_S || !P_HAS_VALUE) return INVAL
  stage("@", P_SECTION, P_OPTION, P_VALUE)
  if (P_OPTION == "") { NAME[P_S] = P_VALUE; ANONYMOUS[P_S] = 0; return 0 }
  name = P_OPTION
  for (i = 1; i <= COUNT[P_S]; i++) if (OPTION[P_S, i] == name) OPTION[P_S, i] = P_VALUE
  KIND[P_S, P_VALUE] = KIND[P_S, name]; VALUE[P_S, P_VALUE] = VALUE[P_S, name]; ITEMS[P_S, P_VALUE] = ITEMS[P_S, name]
  for (i = 1; i <= ITEMS[P_S, name]; i++) ITEM[P_S, P_VALUE, i] = ITEM[P_S, name, i]
  delete KIND[P_S, name]
  return 0
}

function add_item() {
  if (!P_S || !P_HAS_VALUE) return INVAL
  if (P_OPTION != "") push_item(P_S, P_OPTION, P_VALUE)
  stage("|", P_SECTION, P_OPTION, P_VALUE)
  return 0
}

function remove_item(i) {
  if (!P_S || !P_HAS_VALUE) return INVAL
  if (!has(P_S, P_OPTION) || KIND[P_S, P_OPTION] != "list") return 0
  stage("~", P_SECTION, P_OPTION, P_VALUE)
  for (i = ITEMS[P_S, P_OPTION]; i > 0; i--) if (ITEM[P_S, P_OPTION, i] == P_VALUE) drop_item(P_S, P_OPTION, i)
  return 0
}

# --- commands ----------------------------------------------------------------------------------------------------

function section_command(name, count, error) {
  if (count != 2) return 255
  error = look_up(A[2])
  if (error) return complain(error)
  if (P_HAS_VALUE && name ~ /^(get|revert)$/) return 1
  if (name == "get") {
    if (!P_COMPLETE) return complain(NOTFOUND)
    if (P_OPTION != "") print shown(P_S, P_OPTION, 0)
    else if (P_S) print TYPE[P_S]
    return 0
  }
  if (name == "revert") return revert()
  if (name == "set") error = set()
  else if (name ~ /^ren/) error = rename()
  else if (name == "add_list") error = add_item()
  else if (name == "del_list") error = remove_item()
  else if (P_VALUE != "" && P_VALUE !~ /^[ \t]*[-+]?[0-9]/) return 1
  else error = remove()
  if (!error) error = save()
  return error ? complain(error) : 0
}

function add(count, id, error) {
  if (count != 3) return 255
  error = load(A[2])
  if (error) { complain(error); return error }
  id = add_section(A[3], "", 1)
  stage("+", NAME[id], "", A[3])
  save()
  print NAME[id]
  return 0
}

function revert(path, section, option, count, i, sign, word, kept) {
  path = SAVEDIR "/" P_PACKAGE; section = P_SECTION; option = P_OPTION; count = 0
  while (read_line(path)) {
    word = argument()
    if (FAULT || word == "") continue
    sign = substr(word, 1, 1)
    if (index("+-@^|~", sign)) word = substr(word, 2); else sign = ""
    if (parse_tuple(word) || P_INDEXED || sign == "|" && P_OPTION == "") { close(path); return 0 }
    if ((section == "" || section == P_SECTION) && (option == "" || option == P_OPTION)) continue
    kept[++count] = staged_line(sign, P_SECTION, P_OPTION, P_VALUE)
  }
  close(path)
  if (system("[ -e '" path "' ]") != 0) return 0
  printf "" > path
  for (i = 1; i <= count; i++) print kept[i] > path
  close(path)
  return 0
}

function package_commands(name, count, path, packages, i, total) {
  if (count > 2) return 255
  if (count == 2) return package_command(name, A[2])
  path = "ls " CONFDIR
  while ((path | getline word) > 0) if (index(word, ".") == 0) packages[++total] = word
  close(path)
  for (i = 1; i <= total; i++) package_command(name, packages[i])
  return 0
}

function package_command(name, text, error, i) {
  error = look_up(text)
  if (error) return complain(error)
  if (name == "show") {
    if (!P_COMPLETE) return complain(NOTFOUND)
    if (P_OPTION != "") show_option(P_S, P_SECTION, P_OPTION)
    else if (P_S) show_section(P_S, P_SECTION)
    else show_package()
    return 0
  }
  if (name == "changes") { show_changes(); return 0 }
  if (name == "export") { print "package " PACKAGE; write_package("/dev/stdout"); return 0 }
  return NOCOMMIT ? 0 : commit()
}

function shown(id, option, in_quotes, i, text, item) {
  if (KIND[id, option] == "option") return in_quotes ? quoted(VALUE[id, option]) : VALUE[id, option]
  text = ""
  for (i = 1; i <= ITEMS[id, option]; i++) {
    item = ITEM[id, option, i]
    text = text (i > 1 ? DELIMITER : "") (in_quotes || item ~ /[ \t\r\n]/ ? quoted(item) : item)
  }
  return text
}

function show_option(id, name, option) { print PACKAGE "." name "." option "=" shown(id, option, 1) }

function show_section(id, name, i) {
  print PACKAGE "." name "=" TYPE[id]
  for (i = 1; i <= COUNT[id]; i++) show_option(id, name, OPTION[id, i])
}

function show_package(i, id, places) {
  for (i = 1; i <= SECTIONS; i++) {
    id = SECTION[i]
    # Sections with a name count as well.
    show_section(id, ANONYMOUS[id] && EXTENDED ? "@" TYPE[id] "[" (places[TYPE[id]] + 0) "]" : NAME[id])
    places[TYPE[id]]++
  }
}

function show_changes(i, sign, option) {
  for (i = 1; i <= SAVEDS; i++) {
    sign = SAVED[i]; option = SAVED[i, "option"]
    printf "%s%s.%s%s", (sign == "-" ? "-" : ""), PACKAGE, SAVED[i, "section"], (option == "" ? "" : "." option)
    if (sign != "-")
      printf "%s%s", (sign == "|" ? "+=" : sign == "~" ? "-=" : "="), quoted(SAVED[i, "value"])
    printf "\n"
  }
}

# Everything that is staged in any folder goes into the file, which is written anew. Nobody looks whether writing
# went well: on a full flash the new file is empty, and takes the place of the old one.
function commit(path, temporary, i) {
  if (!SAVEDS) return 0
  if (system("[ -e '" SAVEDIR "/" PACKAGE "' ]") == 0) { printf "" > (SAVEDIR "/" PACKAGE); close(SAVEDIR "/" PACKAGE) }
  path = CONFDIR "/" PACKAGE
  srand()
  temporary = sprintf("%s/.%s.uci-%d%d", CONFDIR, PACKAGE, PID, rand() * 100000)
  TOOL = "/lib/testbed/busybox "
  system("umask 077; : >'" temporary "'; chmod \"$(" TOOL "stat -c %a '" path "')\" '" temporary "'")
  write_package(temporary)
  close(temporary)
  return system(TOOL "mv -f '" temporary "' \"$(" TOOL "readlink -f '" path "')\"") ? complain(4) : 0
}

function write_package(to, i, j, k, id, option) {
  for (i = 1; i <= SECTIONS; i++) {
    id = SECTION[i]
    printf "\nconfig %s%s\n", escaped(TYPE[id]), (ANONYMOUS[id] ? "" : " " quoted(NAME[id])) > to
    for (j = 1; j <= COUNT[id]; j++) {
      option = OPTION[id, j]
      if (KIND[id, option] == "option") printf "\toption %s %s\n", option, quoted(VALUE[id, option]) > to
      else for (k = 1; k <= ITEMS[id, option]; k++) printf "\tlist %s %s\n", option, quoted(ITEM[id, option, k]) > to
    }
  }
  printf "\n" > to
}
