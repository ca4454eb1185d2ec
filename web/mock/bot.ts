/** What the mock bot says: a few of the example bank's answers, each showing one thing the widget can do. */

import type { Citation, QuickReply, Status } from "../widget/core/protocol.ts";

export interface Reply {
  readonly text: string;
  readonly role?: "bot" | "agent" | "system";
  readonly citations?: readonly Citation[];
  readonly quick_replies?: readonly QuickReply[];
  readonly rateable?: boolean;
  /** Said before the true text and withdrawn, as when the grounding check rejects it. */
  readonly withdrawn?: string;
  readonly status?: Status;
}

export const PROFILE = {
  name: { zh: "小兰", en: "Orchid" },
  languages: ["zh", "en"],
  welcome: {
    zh: "您好，我是兰汀银行的智能客服小兰。银行卡、转账、贷款和存款方面的问题，都可以问我。",
    en: "Hello, I am Orchid, the automated assistant of Lanting Bank. Ask me about cards, transfers, loans and deposits.",
  },
  suggestions: {
    zh: ["银行卡丢了怎么办？", "转账限额是多少？", "定期存款利率是多少？"],
    en: ["I have lost my card", "What is the daily transfer limit?", "What are your fixed deposit rates?"],
  },
};

const lostZh: Reply = {
  text: "请马上冻结卡片，费用全免：\n\n1. 打开**兰汀App**，进入 卡片 > 冻结；\n2. 或拨打 24 小时热线 [400-555-0119](tel:4005550119)。\n\n挂失之后发生的损失由本行承担。[1] 换一张新的借记卡需 10 元，在网点当场可取。[2]",
  citations: [
    {
      mark: 1,
      title: "借记卡挂失",
      snippet: "可通过兰汀App“卡片 > 冻结”或 24 小时客服热线办理，免费。挂失后产生的损失由本行承担。",
      url: "https://www.lanting.example/help/card-lost",
    },
    {
      mark: 2,
      title: "补卡费用与时间",
      snippet: "遗失补卡 10 元；损坏或到期换卡免费。借记卡在网点当场领取。",
    },
  ],
  rateable: true,
};

const lostEn: Reply = {
  text: "Please freeze the card at once. It is free:\n\n1. In the **Lanting app**: Cards > Freeze, or\n2. call the hotline on [400-555-0119](tel:4005550119), 24 hours a day.\n\nLosses after your report are borne by the bank.[1] A new debit card costs 10 yuan and is made at the branch while you wait.[2]",
  citations: [
    {
      mark: 1,
      title: "Reporting a lost or stolen debit card",
      snippet:
        "In the app under Cards > Freeze, or by the hotline, 24 hours, free. Losses after the report are borne by the bank.",
      url: "https://www.lanting.example/help/card-lost",
    },
    {
      mark: 2,
      title: "Fee and time of a replacement card",
      snippet: "Lost debit card: 10 yuan. Damaged or expired: free. At branches at once.",
    },
  ],
  rateable: true,
};

const limitZh: Reply = {
  text: "手机银行转账每日限额为 **20 万元**；使用安全令牌后可提高到 **100 万元**。首次向新收款人转账，24 小时内最多 5 万元。您想办理哪一项？",
  quick_replies: [
    { label: "提高限额", value: "limit_up" },
    { label: "申领安全令牌", value: "token_get" },
    { label: "暂时不用", value: "none" },
  ],
  rateable: true,
};

const limitEn: Reply = {
  text: "In the app you can transfer up to **200,000 yuan** a day, and **1,000,000** with a security token. To a new payee it is 50,000 within the first 24 hours. What would you like to do?",
  quick_replies: [
    { label: "Raise my limit", value: "limit_up" },
    { label: "Get a security token", value: "token_get" },
    { label: "Nothing for now", value: "none" },
  ],
  rateable: true,
};

const rates = (zh: boolean): Reply => ({
  text: zh
    ? "定期存款目前的年利率：\n\n- 3 个月：0.90%\n- 1 年：1.25%\n- 2 年：1.35%\n- 3 年：1.65%\n\n50 元起存，可在兰汀App内办理。[1]"
    : "Our fixed deposit rates a year are at present:\n\n- 3 months: 0.90 %\n- 1 year: 1.25 %\n- 2 years: 1.35 %\n- 3 years: 1.65 %\n\nYou can open one in the Lanting app from 50 yuan.[1]",
  citations: [
    zh
      ? { mark: 1, title: "定期存款利率", snippet: "3 个月 0.90%，1 年 1.25%，2 年 1.35%，3 年 1.65%。" }
      : {
          mark: 1,
          title: "Rates for fixed deposits",
          snippet: "3 months 0.9 %, 1 year 1.25 %, 2 years 1.35 %, 3 years 1.65 %.",
        },
  ],
  rateable: true,
  withdrawn: zh ? "定期存款利率最高可达 5%……" : "Fixed deposits bring up to 5 % …",
});

const handoff = (zh: boolean): Reply[] => [
  {
    text: zh ? "好的，正在为您转接人工客服，请稍候。" : "Of course. I am passing you to a colleague.",
    status: "waiting",
  },
  {
    text: zh ? "人工客服林女士已加入会话。" : "Ms Lin has joined the conversation.",
    role: "system",
    status: "human",
  },
  {
    text: zh ? "您好，我是林悦，请问有什么可以帮您？" : "Hello, this is Lin Yue. How can I help you?",
    role: "agent",
  },
];

/** The replies to one text, in its language. */
export function replyTo(text: string): readonly Reply[] {
  const zh = /\p{Script=Han}/u.test(text);
  if (/人工|person|human/i.test(text)) return handoff(zh);
  if (/丢|挂失|lost|stolen/i.test(text)) return [zh ? lostZh : lostEn];
  if (/限额|limit/i.test(text)) return [zh ? limitZh : limitEn];
  if (/利率|rate|deposit/i.test(text)) return [rates(zh)];
  return [{ text: zh ? `收到：${text}` : `You said: ${text}` }];
}
