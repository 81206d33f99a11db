// Every word of the page, in each of its languages.

export const words = {
  en: {
    welcome: "Come on in",
    invitation: "Pick a name, pick a room, and talk. No account needed.",
    name: "Your name",
    room: "Room",
    room_hint: "Leave it empty for the lobby. A new name opens a new room.",
    go: "Enter #{room}",
    leave: "Leave the room",
    invite: "Copy the invite link",
    invite_short: "Invite",
    copied: "Copied",
    copy_by_hand: "Copy this link:",
    route: "Transport and worker",
    conversation: "Conversation, can be scrolled",
    messages: "Messages",
    outbox: "Not sent yet",
    message: "Message",
    message_placeholder: "Message",
    send: "Send",
    quiet_here: "It is quiet in here.",
    quiet_hint: "Say something, or send someone the invite link.",
    you: "You",
    joined: "{name} joined",
    you_joined: "You joined",
    you_are_back: "You are back",
    quit: "{name} left",
    newer: "{count} new",
    waiting: "waiting to be sent",
    sending: "sending",
    take_back: "Edit",
    offline_hint: "You are offline. What you send is kept and goes out when you are back.",
    retry: "Try now",
    connecting: "Connecting",
    online: "Online",
    offline: "Offline",
    back: "Back online",
    switch_to: "中文",
    switch_label: "中文：切换语言",
    name_missing: "Please enter a name.",
    name_too_long: "This name is too long.",
    name_unusable: "This name contains characters that cannot be used.",
    room_missing: "Please enter a room.",
    room_too_long: "This room's name is too long.",
    room_unusable: "This room's name contains characters that cannot be used.",
    text_missing: "There is nothing to send.",
    text_too_long: "This is too long to send.",
    text_unusable: "This contains characters that cannot be sent.",
    other_problem: "The chat did not accept this ({code}).",
  },
  zh: {
    welcome: "进来聊聊",
    invitation: "取个名字，选个房间，就能开聊。无需注册。",
    name: "你的名字",
    room: "房间",
    room_hint: "留空即进入大厅。新名字会开一个新房间。",
    go: "进入 #{room}",
    leave: "离开房间",
    invite: "复制邀请链接",
    invite_short: "邀请",
    copied: "已复制",
    copy_by_hand: "请复制此链接：",
    route: "传输方式与工作进程",
    conversation: "对话，可滚动",
    messages: "消息",
    outbox: "尚未发送",
    message: "消息",
    message_placeholder: "说点什么",
    send: "发送",
    quiet_here: "这里还很安静。",
    quiet_hint: "说点什么，或把邀请链接发给朋友。",
    you: "你",
    joined: "{name} 加入了房间",
    you_joined: "你加入了房间",
    you_are_back: "你回来了",
    quit: "{name} 离开了",
    newer: "{count} 条新消息",
    waiting: "等待发送",
    sending: "发送中",
    take_back: "编辑",
    offline_hint: "你已离线。发送的内容会先保存，恢复连接后自动送出。",
    retry: "立即重试",
    connecting: "连接中",
    online: "在线",
    offline: "离线",
    back: "已恢复连接",
    switch_to: "English",
    switch_label: "English: switch language",
    name_missing: "请输入名字。",
    name_too_long: "名字太长了。",
    name_unusable: "名字里有不能使用的字符。",
    room_missing: "请输入房间名。",
    room_too_long: "房间名太长了。",
    room_unusable: "房间名里有不能使用的字符。",
    text_missing: "没有可发送的内容。",
    text_too_long: "内容太长，无法发送。",
    text_unusable: "内容里有不能发送的字符。",
    other_problem: "聊天室没有接受（{code}）。",
  },
};

export const languages = Object.keys(words);

/** The first of the browser's languages that the page speaks, else English. */
export function pickLanguage(wanted) {
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((language) => languages.includes(language)) ?? "en";
}

export function otherLanguage(language) {
  return language === "en" ? "zh" : "en";
}

/** The language as HTML names it. */
export function tagOf(language) {
  return language === "zh" ? "zh-Hans" : language;
}

/** How to write times: as the browser's own language does (British and American English differ). */
export function localeOf(language, wanted = navigator.languages) {
  return wanted.find((tag) => pickLanguage([tag]) === language) ?? language;
}

/** In one language, with {values} put in. A key that does not exist throws. */
export function say(language, key, values = {}) {
  const sentence = words[language][key];
  if (sentence === undefined) throw new Error(`no text for ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** What the server refused, by its code; a code this page does not know is shown as it came. */
export function sayProblem(language, code) {
  const key = Object.hasOwn(words[language], code) ? code : "other_problem";
  return say(language, key, { code });
}
