// The room in the page's address: /r/<room>.

export function roomInAddress() {
  const found = /^\/r\/([^/]+)$/.exec(location.pathname);
  return found ? decoded(found[1]) : "";
}

export function inviteLink(room) {
  return new URL(pathOf(room), location.origin).href;
}

/** Keeps the address in accord with the room. At a room's door it names that room already. */
export function followRoom({ room, wantedRoom }) {
  if (room === null && wantedRoom) return;
  const path = room === null ? "/" : pathOf(room);
  if (path !== location.pathname) history.pushState(null, "", path);
}

function pathOf(room) {
  return `/r/${encodeURIComponent(room)}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
