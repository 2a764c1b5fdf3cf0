# JSON as `ubus call` prints it: a name a line.
function escaped(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
function rest(line) { return substr(line, index(line, " ") + 1) }
function read_point(file, line, word) {
  split("", point); extras = 0
  while ((getline line < file) > 0) {
    word = line; sub(/ .*/, "", word)
    if (word == "extra") extra[++extras] = rest(line); else point[word] = rest(line)
  }
  close(file)
}
# A station is on air while a key is valid that it was given.
function is_admitted(mac, key, i, of) {
  if (key == point["key"]) return 1
  for (i = 1; i <= extras; i++) {
    of = extra[i]; sub(/ .*/, "", of)
    if ((of == "*" || tolower(of) == tolower(mac)) && rest(extra[i]) == key) return 1
  }
  return 0
}
function first_line(file, line) { line = ""; getline line < file; close(file); return line }
BEGIN {
  air = "/var/run/air"
  if (object == "system" && method == "board") {
    while ((getline line < "/etc/openwrt_release") > 0)
      if (match(line, /^DISTRIB_[A-Z]+=/)) release[substr(line, 9, RLENGTH - 9)] = substr(line, RLENGTH + 2, length(line) - RLENGTH - 2)
    printf "{\n\t\"kernel\": \"5.15.167\",\n\t\"hostname\": %s,\n\t\"model\": %s,\n\t\"release\": {\n", \
      escaped(first_line("/proc/sys/kernel/hostname")), escaped(first_line("/tmp/sysinfo/model"))
    printf "\t\t\"distribution\": %s,\n\t\t\"version\": %s,\n\t\t\"revision\": %s\n\t}\n}\n", escaped(release["ID"]), \
      escaped(release["RELEASE"]), escaped(release["REVISION"])
    exit 0
  }
  if (object == "network.wireless" && method == "status") {
    while ((getline line < "/var/run/air.status") > 0) {
      split(line, word, " ")
      if (!(word[1] in seen)) { radios[++count] = word[1]; seen[word[1]] = 1 }
      of[word[1], ++lines[word[1]]] = line
    }
    ls = "ls " air
    while ((ls | getline name) > 0) { read_point(air "/" name); interface[point["section"]] = name; key[point["section"]] = point["key"]; ssid[point["section"]] = point["ssid"] }
    print "{"
    for (i = 1; i <= count; i++) {
      faults = ""
      printf "\t%s: {\n\t\t\"up\": true,\n\t\t\"pending\": false,\n\t\t\"interfaces\": [\n", escaped(radios[i])
      for (j = 1; j <= lines[radios[i]]; j++) {
        split(of[radios[i], j], word, " ")
        if (word[3] != "-") faults = faults (faults == "" ? "" : ", ") escaped(word[3])
        printf "\t\t\t{\n\t\t\t\t\"section\": %s,\n", escaped(word[2])
        if (word[2] in interface) printf "\t\t\t\t\"ifname\": %s,\n", escaped(interface[word[2]])
        printf "\t\t\t\t\"config\": {\n\t\t\t\t\t\"mode\": \"ap\",\n\t\t\t\t\t\"ssid\": %s,\n\t\t\t\t\t\"key\": %s\n\t\t\t\t}\n\t\t\t}%s\n", \
          escaped(ssid[word[2]]), escaped(key[word[2]]), (j < lines[radios[i]] ? "," : "")
      }
      printf "\t\t],\n\t\t\"setup_errors\": [ %s ]\n\t}%s\n", faults, (i < count ? "," : "")
    }
    print "}"
    exit 0
  }
  if (object !~ /^hostapd\./) exit 3
  name = object; sub(/^hostapd\./, "", name)
  read_point(air "/" name)
  if (method == "get_status") {
    printf "{\n\t\"status\": \"ENABLED\",\n\t\"ssid\": %s,\n\t\"freq\": 2437,\n\t\"channel\": 6\n}\n", escaped(point["ssid"])
    exit 0
  }
  if (method != "get_clients") exit 3
  printf "{\n\t\"freq\": 2437,\n\t\"clients\": {\n"
  while ((getline line < "/lib/testbed/world/stations") > 0) {
    split(line, word, "\t")
    if (word[2] != point["ssid"] || !is_admitted(word[1], word[3])) continue
    printf "%s\t\t%s: {\n\t\t\t\"auth\": true,\n\t\t\t\"assoc\": true,\n\t\t\t\"authorized\": true\n\t\t}", (shown++ ? ",\n" : ""), escaped(word[1])
  }
  printf "%s\t}\n}\n", (shown ? "\n" : "")
  exit 0
}
