// What Korea calls companies that are at home elsewhere, by their ticker.

export const KOREAN_NAMES = {
  AAPL: "애플", ABNB: "에어비앤비", ADBE: "어도비", AMD: "에이엠디", AMZN: "아마존", ASML: "에이에스엠엘", AVGO: "브로드컴", AXP: "아메리칸 익스프레스", BA: "보잉", BABA: "알리바바",
  BAC: "뱅크오브아메리카", "BRK-A": "버크셔 해서웨이", "BRK-B": "버크셔 해서웨이", C: "씨티그룹", CAT: "캐터필러", COIN: "코인베이스", COST: "코스트코", CPNG: "쿠팡", CRM: "세일즈포스", CSCO: "시스코",
  CVX: "셰브론", DIS: "디즈니", F: "포드", FB: "페이스북", GE: "제너럴 일렉트릭", GM: "제너럴 모터스", GOOG: "구글 알파벳", GOOGL: "구글 알파벳", GS: "골드만삭스", HD: "홈디포",
  IBM: "아이비엠", INTC: "인텔", JNJ: "존슨앤드존슨", JPM: "제이피모건", KO: "코카콜라", LLY: "일라이 릴리", LMT: "록히드 마틴", MA: "마스터카드", MCD: "맥도날드", META: "메타 페이스북",
  MRK: "머크", MRNA: "모더나", MS: "모건 스탠리", MSFT: "마이크로소프트", MU: "마이크론", NFLX: "넷플릭스", NKE: "나이키", NVDA: "엔비디아", ORCL: "오라클", PEP: "펩시코",
  PFE: "화이자", PG: "피앤지", PLTR: "팔란티어", PYPL: "페이팔", QCOM: "퀄컴", SBUX: "스타벅스", SONY: "소니", T: "에이티앤티", TM: "도요타", TSLA: "테슬라",
  TSM: "티에스엠씨", TXN: "텍사스 인스트루먼트", UBER: "우버", UNH: "유나이티드헬스", V: "비자", VZ: "버라이즌", WMT: "월마트", XOM: "엑슨모빌",
};
