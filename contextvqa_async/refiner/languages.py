"""The words by which models label an article, a question or an answer: one row a language.

Rule: adding a language is adding a row. Words are lower case; a plural in brackets, a number, and the colon
after a label are the grammar's work (``labels.py``), not the table's.
"""

from __future__ import annotations

from dataclasses import dataclass

UNSPACED = "\u0e00"
"""From here on scripts, but for a few, put no spaces between words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One row: each field holds words separated by ``|``.

    ``heads`` are words that a heading over pairs is made of, besides those for question and answer; ``pairs`` are those
    that make it one; ``pair`` labels one pair. ``sections`` are headings inside an article that could label it as well.
    ``opens`` and ``closes`` begin a sentence of chatter before and after the work; ``meta`` are words that such a
    sentence holds. ``ordinals`` are numbers in words, in order, with spaces between them.
    """

    question: str
    answer: str
    article: str
    questions: str
    answers: str
    heads: str
    note: str = ""
    title: str = ""
    opens: str = ""
    closes: str = ""
    meta: str = ""
    refuses: str = ""
    pair: str = ""
    pairs: str = ""
    sections: str = ""
    ordinals: str = ""


LANGUAGES: dict[str, Language] = {
    "English": Language(
        question="question|ques|quest|que|qn|q|query|prompt question|visual question|image question|sample question"
        "|user|human",
        answer="answer|ans|a|correct answer|expected answer|short answer|final answer|model answer"
        "|reference answer|response|reply|solution|assistant|the answer is|the correct answer is|correct answer is",
        article="wikipedia article|the article|wikipedia-style article|wikipedia style article|wiki article|article"
        "|context|passage|wikipedia entry|wikipedia|encyclopedia article|encyclopedia entry"
        "|encyclopedic article|article text|article content|article body|background article"
        "|background|main article|reference article|generated article|wikipedia text|wikipedia page"
        "|context article|full article|wikipedia article text|wiki|text",
        questions="questions|q's|qs",
        answers="answers|answer key|answer keys|answer list|key|solutions|answers key",
        heads="and|pair|pairs|q&a|q & a|q&as|qa|qas|q/a|q+a|q-a|qna|q and a|vqa|visual|based|on|the|article"
        "|image|above|from|with|for|about|here|are|some|following|section|part|list|set|generated"
        "|reasoning|of|to|additional|more|below|this|these|context|wikipedia|comprehension|picture"
        "|photo|is|a|an|their|corresponding|easy|medium|hard|style|&|faq|quiz|example|sample|related"
        "|referring|ten|five|six|eight|seven|dataset|knowledge|multi-hop|in|photograph|that|refer"
        "|require|your|by|using|its|regarding|concerning|focused|s|short|key|test|format",
        note="explanation|reasoning|rationale|evidence|justification|source|note|notes|criteria"
        "|criteria met|criteria check|hint|supporting sentence|supporting text|supporting evidence"
        "|support|difficulty|category|type|question type|reference|comment|remark|why|quote"
        "|from the article|article reference|extracted from|context used|confidence|topic|check"
        "|verification|image reference|distractors|options|reason|tags|tag|location in article"
        "|relevance|skill|answer source|source sentence|derivation|answer type|reasoning type",
        title="title|article title|headline|topic|subject",
        opens="here you go|here it is|here goes|there you go|please find|as you asked"
        "|sure|certainly|of course|absolutely|okay|ok|alright|all right|great|here is|here's|here’s"
        "|here are|below is|below are|below you|i'll|i’ll|i will|i have|i've|i’ve|i can|let me|let's|let’s"
        "|based on|as requested|the following|got it|happy to|thank you|thanks|the image|this image"
        "|in this image|in the image|the picture|this picture|the photo|this photo|to create|to write"
        "|to generate|now|next|following|these|this is|looking at|from the image|given the"
        "|since the image|after analyzing|understood|no problem|using the|with the|and here|then"
        "|finally|hello|hi|from this article|from the article|the questions|the question|generated"
        "|as per|per your|in response|we can|i see|it looks like|it appears|the photograph"
        "|this photograph|the provided image|the given image|moving on|to fulfill"
        "|wikipedia article and|for this image|for the image|what follows|drawing on",
        closes="let me know|i hope|hope this|hope these|hope it|feel free|would you like|if you need"
        "|if you want|if you'd|if you’d|if you would|if you have|these pairs|these questions"
        "|these question|these answers|this set|is there|please let|note:|note that|please note"
        "|all questions|all answers|all of the|all the questions|all pairs|each question|each answer"
        "|each pair|the above|the questions|the question|the answers|do you want|shall i|should you"
        "|happy to|i can also|i've|i’ve|i have|that's|that’s|this concludes|end of|everything above"
        "|thank you|thanks|enjoy|i made sure|i ensured|i’d be|i'd be|would you|all six|all five"
        "|answers are|questions are|every question|every answer|good luck|(note|these satisfy"
        "|the pairs|i tried|i kept|disclaimer|total|i avoided|let's|in total|done|that is all"
        "|that’s all|that's all|need more|want more|anything else|this should|hopefully|as an ai"
        "|remember|(all|i followed|i am happy|i'm happy|as requested|word count|you can"
        "|it is worth noting that the questions",
        meta="article|wikipedia|question|questions|pair|pairs|q&a|qa|image|picture|photo|request|requested"
        "|criteria|help|helps|needed|changes|adjust|answer|answers"
        "|photograph|instructions|helpful|useful|assistance|further|revise|edit|modifications",
        refuses="i'm sorry|i’m sorry|i am sorry|sorry|i can't|i can’t|i cannot|i can not|i'm unable"
        "|i’m unable|i am unable|i'm not able|i’m not able|i am not able|unfortunately|i apologize"
        "|apologies|i won't|i won’t|as an ai|i don't|i don’t|i do not|it's not possible|no image"
        "|there is no image|error|i must decline|my apologies",
        pair="pair|qa pair|q&a pair|qa|q&a|question-answer pair|qa-pair|question answer pair"
        "|question and answer pair|question & answer|item",
        pairs="pairs|q&a|q & a|qa|qas|q&as|q/a|q+a|qna|vqa|faq|quiz|q and a|q-a|question-answer",
        sections="introduction|overview|history|background|description|summary|etymology|lead|context|text|passage",
        ordinals="one two three four five six seven eight nine ten"
        "|first second third fourth fifth sixth seventh eighth ninth tenth",
    ),
    "Chinese": Language(
        question="问题|問題|问|問|提问|提問|题目|題目|试题|問句|问句|题|題",
        answer="答案|回答|答|解答|答复|答覆|参考答案|參考答案|正确答案|正確答案|标准答案",
        article="维基百科文章|維基百科文章|维基百科|維基百科|维基百科条目|維基百科條目|文章|正文|文章内容"
        "|文章內容|上下文|百科文章|条目|條目|维基文章|維基文章|维基百科风格文章|背景文章|文章正文"
        "|维基百科式文章|背景|内容|词条|百科词条|维基百科词条",
        questions="问题列表|問題列表|问题部分|問題部分",
        answers="答案列表|答案部分|参考答案|參考答案|答案如下",
        heads="问答|問答|问答对|問答對|对|對|与|與|和|及|、|部分|列表|以下|是|基于|基於|根据|根據|文章|图片"
        "|圖片|图像|圖像|的|如下|问答题|相关|相關|视觉|視覺|下面|生成|组|組|示例|环节|環節|集|测试",
        note="解析|解释|解釋|说明|說明|理由|依据|依據|来源|來源|推理|备注|備註|注|出处|出處|提示|难度|類型"
        "|类型|推理过程|分析|原文依据|原文",
        title="标题|標題|文章标题|文章標題|题目名称|主题",
        opens="好的|当然|當然|以下|下面|根据|根據|这是|這是|没问题|沒問題|图片|图中|这张|這張|接下来|接下來"
        "|现在|基于|基於|首先|明白|可以|這張圖片|圖片|图像|这幅|由图|您好|你好|依据|根据您",
        closes="希望|如果|如需|如有|请告诉|請告訴|以上|需要|欢迎|歡迎|若|注：|注意|这些|這些|所有|请随时"
        "|請隨時|还有|是否|备注|（注|（以上|问答对均",
        meta="文章|问答|問答|图片|圖片|图像|圖像|问题|問題|帮助|幫助|告诉|告訴|需要|百科|以上|修改|调整|調整|要求",
        refuses="抱歉|对不起|對不起|很抱歉|我无法|我無法|非常抱歉|不好意思|无法",
        pair="问答对|問答對|问答|問答",
        pairs="問答|问答",
        sections="概述|简介|历史|引言|概要|背景|内容",
    ),
    "Japanese": Language(
        question="質問|問い|設問|問題|問",
        answer="回答|答え|解答|答|正解|こたえ",
        article="記事|ウィキペディア記事|ウィキペディアの記事|wikipedia記事|wikipediaの記事|wikipedia風記事"
        "|本文|文脈|コンテキスト|ウィキペディア風記事|ウィキペディア風の記事|wikipedia風の記事"
        "|ウィキペディア|記事本文|百科事典記事|解説記事",
        questions="質問一覧|質問リスト|設問一覧",
        answers="回答一覧|解答一覧|回答リスト|解答例|回答集",
        heads="質疑応答|一問一答|と|の|ペア|および|及び|セット|一覧|以下|画像|に関する|問答|ｑ＆ａ"
        "|についての|に基づく|・|組|リスト|関連する|対",
        note="解説|説明|理由|根拠|出典|補足|注|ヒント|備考|注記|推論|引用|難易度",
        title="タイトル|題名|題|記事タイトル|見出し",
        opens="はい|もちろん|以下|了解|承知|かしこまりました|この画像|画像|では|次に|それでは|わかりました"
        "|こちら|ご依頼|続いて",
        closes="以上|他に|ほかに|ご質問|お役に|必要|何か|さらに|もし|注：|なお|これら|ご不明|ご要望|追加|お気軽|※",
        meta="記事|質問|回答|画像|以下|お知らせ|役に立|ペア|必要|修正|ください",
        refuses="申し訳|すみません|恐れ入り|残念",
        pair="ペア",
        pairs="ペア|質疑応答|一問一答|q＆a|問答",
        sections="はじめに|歴史",
    ),
    "Korean": Language(
        question="질문|문제|물음|문",
        answer="답변|정답|답|대답|해답|응답",
        article="위키백과 기사|위키백과 문서|위키피디아 기사|위키피디아 문서|위키백과|위키피디아|기사|문서"
        "|본문|글|맥락|문맥|위키 문서|백과사전 글|위키백과 글|위키백과 스타일 문서|위키백과 항목"
        "|위키 기사|위키피디아 글|지문",
        questions="질문들|질문 목록",
        answers="답변들|정답 목록|답변 목록|답안|정답표",
        heads="질의응답|과|와|및|쌍|질문-답변|질문답변|목록|이미지|기반|관련|문답|세트|질의|아래는|다음은|·"
        "|기사|에|대한|기반한|을|한|이미지에|입니다|사진",
        note="설명|해설|근거|이유|출처|참고|비고|힌트|난이도|추론|유형|주",
        title="제목|기사 제목|주제",
        opens="네|물론|다음은|아래는|알겠습니다|이 이미지|이미지|이제|여기|좋습니다|그럼|요청하신|이 사진|사진|위 기사",
        closes="도움이|더 필요|추가|궁금|필요하|이상|언제든|혹시|참고|원하시|위 질문|모든 질문|감사|더 많은|다른",
        meta="기사|질문|답변|이미지|도움|말씀|필요|문서|위키|사진|요청|수정|입니다",
        refuses="죄송|미안|유감",
        pair="쌍",
        pairs="쌍|문답|질의응답|질문답변",
        sections="개요|역사",
    ),
    "French": Language(
        question="question|q",
        answer="réponse|reponse|r|rép|rep|réponse attendue|bonne réponse",
        article="article wikipédia|article wikipedia|article de wikipédia|article de wikipedia|article"
        "|contexte|texte|article encyclopédique|wikipédia|article de type wikipédia"
        "|article de style wikipédia|article style wikipédia|texte de l'article",
        questions="questions",
        answers="réponses|reponses|corrigé|solutions",
        heads="et|paires|paire|de|questions-réponses|question-réponse|question|réponse|sur|l'image|l’image"
        "|voici|les|des|à|partir|l'article|l’article|couples|série|q/r|q&r|basées|la|photo|associées",
        note="explication|justification|raisonnement|source|remarque|indice|preuve|commentaire|difficulté"
        "|extrait|catégorie",
        title="titre|titre de l'article|sujet",
        opens="bien sûr|voici|certainement|d'accord|d’accord|ci-dessous|l'image|l’image|cette image"
        "|très bien|sur la base|à partir|maintenant|avec plaisir|absolument|parfait|bonjour|et voici"
        "|en me basant|d'après l'image|passons",
        closes="j'espère|j’espère|n'hésitez|n’hésitez|si vous|dites-moi|faites-moi|ces questions|toutes les"
        "|souhaitez-vous|voulez-vous|remarque|note :|bonne|ces paires|note|les questions|besoin"
        "|chaque",
        meta="article|question|questions|réponses|image|paires|aide|besoin|wikipédia|wikipedia"
        "|modifications|utile|photo",
        refuses="désolé|je suis désolé|je ne peux|je regrette|malheureusement|je suis désolée|excusez",
        pair="paire",
        pairs="paires|q/r|q&r|questions-réponses",
        sections="histoire|présentation|contexte|texte",
    ),
    "German": Language(
        question="frage|f|fr",
        answer="antwort|a|antw|lösung|richtige antwort|erwartete antwort",
        article="wikipedia-artikel|wikipedia artikel|artikel|kontext|text|wikipediaartikel"
        "|artikel im wikipedia-stil|enzyklopädieartikel|artikeltext|lexikonartikel"
        "|enzyklopädischer artikel|wikipedia-eintrag|enzyklopädie-artikel",
        questions="fragen",
        answers="antworten|lösungen|antwortschlüssel|auflösung",
        heads="und|paare|paar|frage-antwort-paare|frage-antwort|zum|bild|zu|dem|den|hier|sind|die|f&a|f/a"
        "|frage-und-antwort-paare|frage-antwort-paar|folgende|auf|basierend|artikel|dazu|passende"
        "|fragen-antwort-paare|foto",
        note="erklärung|begründung|hinweis|quelle|beleg|anmerkung|schwierigkeit|erläuterung|kategorie"
        "|belegstelle|textstelle",
        title="titel|überschrift|thema|artikeltitel",
        opens="natürlich|hier ist|hier sind|gerne|sicher|klar|okay|im folgenden|nachfolgend|basierend"
        "|das bild|dieses bild|selbstverständlich|gern|hier folgt|nun|auf dem bild|auf grundlage"
        "|alles klar|und hier|es folgen|hier kommt",
        closes="ich hoffe|lassen sie|lass mich|wenn sie|falls sie|falls du|wenn du|diese fragen|alle fragen"
        "|möchten sie|möchtest|gerne kann|hinweis|alle antworten|die fragen|sag mir|sagen sie"
        "|viel erfolg|brauchst|benötigen|anmerkung|bei bedarf|jede frage",
        meta="artikel|frage|fragen|bild|antworten|paare|wissen|hilft|helfen|wikipedia|benötigen|weitere"
        "|bescheid|hilfreich|anpassungen|foto",
        refuses="es tut mir leid|tut mir leid|entschuldigung|leider|ich kann",
        pair="paar",
        pairs="paare|f&a|f/a|frage-antwort-paare|frage-antwort|fragen-antwort-paare",
        sections="geschichte|einleitung|überblick|kontext",
    ),
    "Spanish": Language(
        question="pregunta|p|preg",
        answer="respuesta|r|resp|respuesta correcta|respuesta esperada",
        article="artículo de wikipedia|articulo de wikipedia|artículo wikipedia|artículo|articulo|contexto"
        "|texto|artículo enciclopédico|artículo estilo wikipedia|artículo al estilo de wikipedia"
        "|artículo tipo wikipedia|texto del artículo",
        questions="preguntas",
        answers="respuestas|clave de respuestas|soluciones|solucionario",
        heads="y|pares|par|de|pregunta-respuesta|preguntas-respuestas|sobre|la|imagen|el|artículo|aquí"
        "|están|las|los|basadas|en|con|sus|p&r|p/r|a|continuación|relacionadas|siguientes|foto",
        note="explicación|explicacion|justificación|razonamiento|fuente|nota|pista|evidencia|dificultad"
        "|comentario|razón|categoría|fragmento",
        title="título|titulo|título del artículo|tema",
        opens="claro|¡claro|por supuesto|¡por supuesto|aquí tienes|aquí está|aquí están|a continuación"
        "|basado|basándome|la imagen|esta imagen|con gusto|desde luego|seguro|ahora|en la imagen"
        "|aquí te|¡aquí|con base|entendido|de acuerdo|perfecto|¡perfecto|y aquí|estas son|hola|¡hola",
        closes="espero|¡espero|si necesitas|si deseas|si quieres|avísame|házmelo|no dudes|estas preguntas"
        "|todas las|¿te gustaría|¿quieres|¿deseas|¿necesitas|nota:|si tienes|dime|hazme|cada pregunta"
        "|las preguntas|estos pares|¿hay|¿desea",
        meta="artículo|pregunta|preguntas|imagen|pares|respuestas|ayuda|útil|más|saber|wikipedia|necesitas"
        "|cambios|foto",
        refuses="lo siento|disculpa|lamento|no puedo|perdón|lamentablemente",
        pair="par",
        pairs="pares|p&r|p/r|pregunta-respuesta",
        sections="historia|introducción|descripción|contexto|texto",
    ),
    "Portuguese": Language(
        question="pergunta|p|perg|questão|questao",
        answer="resposta|r|resp|resposta correta|resposta esperada",
        article="artigo da wikipédia|artigo da wikipedia|artigo wikipedia|artigo de wikipedia|artigo|contexto"
        "|texto|artigo enciclopédico|artigo no estilo wikipédia|artigo no estilo da wikipédia"
        "|artigo estilo wikipédia|artigo estilo wikipedia|artigo wikipédia|texto do artigo",
        questions="perguntas|questões",
        answers="respostas|gabarito|soluções",
        heads="e|pares|par|de|pergunta-resposta|perguntas-respostas|sobre|a|imagem|o|artigo|aqui|estão|as"
        "|os|baseadas|em|com|no|na|seguir|p&r|p/r|relacionadas|seguintes|foto|da",
        note="explicação|justificativa|raciocínio|fonte|nota|dica|evidência|observação|dificuldade"
        "|comentário|trecho|categoria",
        title="título|titulo|título do artigo|tema",
        opens="claro|com certeza|aqui está|aqui estão|abaixo|a seguir|com base|a imagem|esta imagem"
        "|certamente|segue|seguem|agora|na imagem|ótimo|com prazer|entendido|perfeito|e aqui|olá"
        "|estas são",
        closes="espero|se precisar|se quiser|se desejar|me avise|fique à vontade|estas perguntas"
        "|essas perguntas|todas as|gostaria|nota:|caso|deseja|precisa|cada pergunta|as perguntas"
        "|observação|esses pares|sinta-se|qualquer",
        meta="artigo|pergunta|perguntas|imagem|pares|ajude|ajuda|mais|respostas|wikipédia|wikipedia|pedir"
        "|útil|alterações|precisar|foto",
        refuses="desculpe|sinto muito|lamento|não posso|infelizmente|peço desculpas|me desculpe",
        pair="par",
        pairs="pares|p&r|p/r",
        sections="introdução|história|contexto|texto",
    ),
    "Italian": Language(
        question="domanda|d|dom|quesito",
        answer="risposta|r|risp|risposta corretta|risposta attesa",
        article="articolo di wikipedia|articolo wikipedia|voce di wikipedia|voce wikipedia|articolo|contesto"
        "|testo|articolo in stile wikipedia|articolo enciclopedico|voce enciclopedica"
        "|testo dell'articolo|voce",
        questions="domande|quesiti",
        answers="risposte|soluzioni",
        heads="e|coppie|coppia|di|domanda-risposta|domande-risposte|sull'immagine|ecco|le|sulla"
        "|dell'articolo|d&r|d/r|basate|sull'articolo|dall'articolo|relative|seguenti|foto"
        "|all'immagine|alla",
        note="spiegazione|motivazione|ragionamento|fonte|nota|giustificazione|suggerimento|prova"
        "|difficoltà|commento|categoria",
        title="titolo|titolo dell'articolo|argomento|tema",
        opens="certo|certamente|ecco|di seguito|naturalmente|va bene|l'immagine|l’immagine|questa immagine"
        "|sulla base|in base|ora|perfetto|d'accord|d'accordo|con piacere|volentieri|ciao|e ora|adesso"
        "|qui di seguito",
        closes="spero|se hai|se vuoi|se desideri|fammi|fatemi|queste domande|tutte le|vuoi|nota:|se avete"
        "|se ti|hai bisogno|desideri|ogni domanda|le domande|resto a|queste coppie|buon|non esitare",
        meta="articolo|domanda|domande|immagine|coppie|risposte|utile|aiuto|sapere|altre|wikipedia|voce"
        "|modifiche|foto|bisogno",
        refuses="mi dispiace|spiacente|purtroppo|non posso|sono spiacente|scusa",
        pairs="coppie|d&r|d/r",
        sections="storia|introduzione|contesto|testo",
    ),
    "Russian": Language(
        question="вопрос|в",
        answer="ответ|о|правильный ответ|ожидаемый ответ",
        article="статья википедии|статья из википедии|статья в википедии|статья|контекст|текст"
        "|статья для википедии|статья в стиле википедии|энциклопедическая статья|текст статьи"
        "|википедия",
        questions="вопросы",
        answers="ответы|ключ|ключи",
        heads="и|пары|пара|вопросы-ответы|вопрос-ответ|по|изображению|статье|к|на|основе|вот|с|ответами"
        "|вопросов|ответов|пар|следующие|изображения|фото|о|для|статьи|тексту",
        note="пояснение|объяснение|обоснование|источник|примечание|подсказка|комментарий|доказательство"
        "|сложность|цитата|рассуждение",
        title="заголовок|название|название статьи|тема",
        opens="конечно|вот|ниже|хорошо|на основе|на изображении|разумеется|с удовольствием|изображение"
        "|теперь|итак|следующие|понял|на фото|далее|отлично|здравствуйте|привет|а теперь"
        "|по изображению|безусловно",
        closes="надеюсь|если|дайте знать|сообщите|эти вопросы|все вопросы|хотите|примечание|буду рад|нужны"
        "|могу|пожалуйста|каждый вопрос|обращайтесь|нужно|вопросы составлены|спасибо|эти пары"
        "|напишите",
        meta="статья|статьи|статью|вопрос|вопросы|изображение|изображению|ответы|пары|знать|поможет|нужны"
        "|нужно|ещё|еще|википедии|изображении|полезно|помочь|фото|ответами",
        refuses="извините|к сожалению|простите|прошу прощения|я не могу|сожалею",
        pair="пара",
        pairs="пары|вопросы-ответы|вопросов",
        sections="история|введение|описание|контекст|текст",
    ),
    "Arabic": Language(
        question="السؤال|سؤال|س",
        answer="الجواب|الإجابة|جواب|إجابة|ج|الاجابة|اجابة|الإجابة الصحيحة|الرد",
        article="المقال|مقال ويكيبيديا|مقالة ويكيبيديا|مقال|المقالة|السياق|النص|مقالة|مقال من ويكيبيديا"
        "|مقالة من ويكيبيديا|نص المقال|مقال على نمط ويكيبيديا|مقال بأسلوب ويكيبيديا"
        "|مقالة بأسلوب ويكيبيديا",
        questions="الأسئلة|أسئلة|الاسئلة",
        answers="الأجوبة|الإجابات|إجابات|أجوبة|الاجابات|مفتاح الإجابات",
        heads="والأجوبة|والإجابات|و|أزواج|والاجابات|وأجوبة|وإجابات|حول|الصورة|عن|على|بناء|بناءً|والجواب"
        "|والإجابة|المقال|من|فيما|يلي|زوج|سؤال|وجواب|المتعلقة|إلى|استنادا|استنادًا|الأسئلة والأجوبة",
        note="التفسير|الشرح|السبب|المصدر|ملاحظة|تعليل|تلميح|الدليل|توضيح|التوضيح|شرح|الصعوبة|الاستدلال",
        title="العنوان|عنوان|عنوان المقال|الموضوع",
        opens="بالتأكيد|بالطبع|إليك|فيما يلي|حسنا|حسنًا|بناء|بناءً|تظهر|الصورة|هذه|استنادا|استنادًا|الآن"
        "|يسعدني|مرحبا|والآن|أهلا|طبعا|طبعًا|وفيما يلي|تُظهر",
        closes="آمل|أتمنى|إذا|هل تريد|هل ترغب|أخبرني|لا تتردد|هذه الأسئلة|جميع الأسئلة|ملاحظة|يرجى|إن كنت"
        "|أرجو|هل تحتاج|كل سؤال|في حال|يمكنني|جميع الإجابات",
        meta="مقال|مقالة|أسئلة|الأسئلة|الصورة|أجوبة|إجابات|المقال|مساعدة|ويكيبيديا|المزيد|سؤال|أخبرني"
        "|مفيدة|مفيدًا|أزواج|تعديلات",
        refuses="عذرا|عذرًا|آسف|أعتذر|معذرة|لا أستطيع|للأسف|لا يمكنني",
        sections="المقدمة|مقدمة|التاريخ|السياق",
        ordinals="الأول الثاني الثالث الرابع الخامس السادس السابع الثامن التاسع العاشر",
    ),
    "Hindi": Language(
        question="प्रश्न|सवाल|प्र",
        answer="उत्तर|जवाब|उ|सही उत्तर|अपेक्षित उत्तर",
        article="विकिपीडिया लेख|विकिपीडिया आलेख|लेख|संदर्भ|आलेख|विकिपीडिया|विकिपीडिया शैली का लेख"
        "|विकिपीडिया-शैली लेख|पाठ|विकिपीडिया-शैली का लेख",
        questions="प्रश्नावली|प्रश्नों|सवालों",
        answers="उत्तरमाला|उत्तर कुंजी|उत्तरों",
        heads="और|प्रश्नोत्तर|जोड़े|जोड़ी|युग्म|एवं|व|तथा|प्रश्न-उत्तर|छवि|पर|आधारित|के|चित्र|लेख|यहाँ|हैं"
        "|की|से|संबंधित|प्रश्नोत्तरी|सवाल-जवाब|निम्नलिखित|में",
        note="स्पष्टीकरण|व्याख्या|कारण|स्रोत|नोट|टिप्पणी|संकेत|प्रमाण|तर्क|कठिनाई",
        title="शीर्षक|विषय|लेख का शीर्षक",
        opens="ज़रूर|जरूर|बिल्कुल|यहाँ|यहां|नीचे|निश्चित|चित्र|छवि|इस|निम्नलिखित|ठीक|अब|बेशक|नमस्ते|अवश्य|आपके|हाँ",
        closes="आशा|मुझे उम्मीद|उम्मीद|यदि|अगर|क्या आप|ये प्रश्न|सभी प्रश्न|कृपया|नोट|मुझे बताएं|और प्रश्न|धन्यवाद|इन प्रश्नों",
        meta="लेख|प्रश्न|चित्र|छवि|उत्तर|जोड़े|मदद|बताएं|विकिपीडिया|चाहिए|आवश्यकता|प्रश्नोत्तर|सहायक|प्रश्नों",
        refuses="क्षमा|माफ़|माफ|मुझे खेद|खेद|मैं नहीं|दुर्भाग्य",
        pairs="प्रश्नोत्तर|प्रश्नोत्तरी|सवाल-जवाब",
        sections="परिचय|इतिहास",
    ),
    "Vietnamese": Language(
        question="câu hỏi|hỏi|h|câu",
        answer="câu trả lời|trả lời|đáp án|đáp|đ|tl|đa|lời giải",
        article="bài viết wikipedia|bài viết|ngữ cảnh|bài báo|bài viết trên wikipedia|văn bản|bối cảnh"
        "|bài viết theo phong cách wikipedia|bài viết kiểu wikipedia|bài wikipedia|nội dung bài viết"
        "|đoạn văn",
        questions="các câu hỏi|danh sách câu hỏi",
        answers="các câu trả lời|danh sách câu trả lời|bảng đáp án",
        heads="và|cặp|hỏi|đáp|hỏi-đáp|câu|hỏi đáp|các|về|hình|ảnh|dựa|trên|bài|viết|phần|sau|đây|là|những"
        "|hình ảnh|liên|quan|đến|bức",
        note="giải thích|lý do|nguồn|ghi chú|gợi ý|bằng chứng|lưu ý|độ khó|lập luận|trích dẫn",
        title="tiêu đề|chủ đề|tên bài viết",
        opens="chắc chắn|dưới đây|tất nhiên|vâng|được|sau đây|dựa|hình ảnh|bức ảnh|đây là|bây giờ"
        "|trong hình|dĩ nhiên|rất sẵn lòng|tiếp theo|chào",
        closes="hy vọng|nếu|bạn có|hãy cho|tất cả|lưu ý|những câu|các câu hỏi|xin|vui lòng|chúc|tôi có thể"
        "|mỗi câu|cần thêm|mong",
        meta="bài viết|câu hỏi|hình ảnh|trả lời|cặp|giúp|biết|wikipedia|thêm|cần|ảnh|hữu ích|chỉnh sửa|yêu cầu",
        refuses="xin lỗi|tôi xin lỗi|rất tiếc|tôi không thể|tiếc là",
        pairs="cặp|hỏi",
        sections="giới thiệu|lịch sử",
    ),
    "Turkish": Language(
        question="soru|s",
        answer="cevap|yanıt|c|y|doğru cevap|doğru yanıt|beklenen cevap",
        article="vikipedi makalesi|wikipedia makalesi|makale|bağlam|metin|vikipedi maddesi"
        "|vikipedi tarzı makale|ansiklopedi maddesi|wikipedia tarzı makale|wikipedia maddesi|vikipedi"
        "|madde|makale metni|vikipedi yazısı",
        questions="sorular",
        answers="cevaplar|yanıtlar|cevap anahtarı|yanıt anahtarı",
        heads="ve|çiftleri|çift|çiftler|soru-cevap|soru-yanıt|görsel|ile|ilgili|hakkında|makaleye|dayalı"
        "|işte|soru|cevap|görsele|dair|s&c|aşağıdaki|bölümü|resim|görselle",
        note="açıklama|gerekçe|kaynak|not|ipucu|kanıt|mantık|neden|zorluk|akıl yürütme|dayanak",
        title="başlık|konu|makale başlığı",
        opens="elbette|tabii|tabi|işte|aşağıda|görsel|bu görsel|tamam|şimdi|görselde|peki|memnuniyetle"
        "|görsele|merhaba|kesinlikle|sırada|anlaşıldı",
        closes="umarım|eğer|başka|isterseniz|lütfen|bu sorular|tüm sorular|daha fazla|not:|yardımcı|her soru"
        "|sorular|ister|bana|dilerseniz|istersen",
        meta="makale|makalesi|soru|sorular|görsel|cevap|cevaplar|çiftleri|yardımcı|isterseniz|bildirin"
        "|vikipedi|wikipedia|olur|ihtiyacınız|istersen|çifti",
        refuses="üzgünüm|maalesef|özür|ne yazık ki|kusura bakmayın",
        pairs="çiftleri|s&c|soru-cevap|soru-yanıt",
        sections="giriş|tarihçe|tarih",
    ),
    "Indonesian": Language(
        question="pertanyaan|soal|tanya|p|t",
        answer="jawaban|jawab|j|jawaban benar|kunci",
        article="artikel wikipedia|artikel|konteks|teks|artikel bergaya wikipedia|artikel ensiklopedia"
        "|isi artikel|artikel gaya wikipedia",
        questions="daftar pertanyaan|pertanyaan-pertanyaan",
        answers="jawaban-jawaban|daftar jawaban|kunci jawaban",
        heads="dan|pasangan|tanya|jawab|tanya-jawab|tentang|gambar|berdasarkan|berikut|adalah|untuk"
        "|pertanyaan-jawaban|artikel|di|atas|terkait|bagian|dari|pasang|foto|tanya jawab",
        note="penjelasan|alasan|sumber|catatan|petunjuk|bukti|penalaran|tingkat kesulitan|kutipan|keterangan",
        title="judul|judul artikel|topik",
        opens="tentu|berikut|baik|di bawah|berdasarkan|gambar|pada gambar|ini|sekarang|dalam gambar|oke"
        "|selanjutnya|siap|halo|dengan senang",
        closes="semoga|jika|apakah anda|beri tahu|silakan|semua pertanyaan|catatan|mohon|kalau|bila"
        "|pertanyaan-pertanyaan ini|setiap pertanyaan|apabila|pasangan",
        meta="artikel|pertanyaan|gambar|jawaban|pasangan|membantu|beri|tambahan|wikipedia|lagi|membutuhkan"
        "|bermanfaat|foto|perubahan",
        refuses="maaf|mohon maaf|sayangnya|saya tidak",
        pairs="pasangan|tanya-jawab",
        sections="pendahuluan|sejarah",
    ),
    "Polish": Language(
        question="pytanie|p|pyt",
        answer="odpowiedź|o|odp|odpowiedz|prawidłowa odpowiedź",
        article="artykuł z wikipedii|artykuł wikipedii|artykuł|kontekst|tekst|artykuł w stylu wikipedii|hasło"
        "|artykuł encyklopedyczny|treść artykułu",
        questions="pytania",
        answers="odpowiedzi|klucz odpowiedzi",
        heads="i|pary|para|oraz|pytanie-odpowiedź|dotyczące|obrazu|na|podstawie|artykułu|oto|do|pytań"
        "|odpowiedzi|z|zdjęcia|par|pytania-odpowiedzi",
        note="wyjaśnienie|uzasadnienie|źródło|uwaga|wskazówka|dowód|komentarz|trudność",
        title="tytuł|temat|tytuł artykułu",
        opens="oczywiście|oto|poniżej|jasne|na podstawie|obraz|zdjęcie|teraz|pewnie|świetnie"
        "|z przyjemnością|dobrze|na obrazie|następnie",
        closes="mam nadzieję|jeśli|daj znać|proszę|te pytania|wszystkie pytania|czy chcesz|uwaga|jeżeli"
        "|w razie|chętnie|czy chciał|każde pytanie",
        meta="artykuł|pytania|pytanie|obraz|obrazu|odpowiedzi|pary|znać|pomoc|wikipedii|więcej"
        "|potrzebujesz|pytań|przydatne|zdjęcia",
        refuses="przepraszam|niestety|przykro mi|nie mogę",
        pairs="pary|pytań",
    ),
    "Dutch": Language(
        question="vraag|v|vr",
        answer="antwoord|a|antw|juiste antwoord",
        article="wikipedia-artikel|wikipediaartikel|artikel|context|tekst|artikel in wikipedia-stijl"
        "|encyclopedisch artikel|artikeltekst",
        questions="vragen",
        answers="antwoorden|antwoordsleutel",
        heads="en|paren|paar|vraag-antwoordparen|vraag-antwoord|over|de|afbeelding|hier|zijn|bij|het|v&a"
        "|vraag-en-antwoordparen|vraag-antwoord-paren|op|basis|van|gebaseerd|artikel|foto|met",
        note="uitleg|toelichting|bron|opmerking|hint|bewijs|redenering|motivering|moeilijkheid",
        title="titel|onderwerp|artikeltitel",
        opens="natuurlijk|hier is|hier zijn|hieronder|zeker|uiteraard|oké|op basis|de afbeelding"
        "|deze afbeelding|nu|prima|graag|hier volgt|en hier|hier volgen|goed",
        closes="ik hoop|laat|als je|als u|indien|deze vragen|alle vragen|wil je|wilt u|opmerking|hopelijk"
        "|elke vraag|mocht|let op|heb je|heeft u",
        meta="artikel|vragen|vraag|afbeelding|antwoorden|paren|weten|helpt|wikipedia|meer|nodig|nuttig"
        "|foto|aanpassingen|vraag-antwoordparen",
        refuses="het spijt me|sorry|helaas|ik kan",
        pairs="paren|v&a|vraag-antwoordparen|vraag-antwoord",
    ),
    "Ukrainian": Language(
        question="питання|запитання|п|з",
        answer="відповідь|в|правильна відповідь",
        article="стаття вікіпедії|стаття|контекст|текст|стаття з вікіпедії|стаття у вікіпедії"
        "|стаття в стилі вікіпедії|стаття у стилі вікіпедії|текст статті|енциклопедична стаття",
        questions="запитання і відповіді|перелік запитань",
        answers="відповіді|ключі",
        heads="та|пари|питання-відповіді|й|і|до|зображення|на|основі|статті|запитань|ось|за|з|відповідями"
        "|пар|відповідей|запитання-відповідь|питання-відповідь|питань",
        note="пояснення|обґрунтування|джерело|примітка|підказка|доказ",
        title="заголовок|назва|тема|назва статті",
        opens="звичайно|ось|нижче|добре|на основі|зображення|на зображенні|звісно|тепер|авжеж|із задоволенням|далі",
        closes="сподіваюся|якщо|дайте знати|ці питання|усі питання|всі питання|бажаєте|примітка|будь ласка"
        "|повідомте|потрібно|чи потрібні|ці запитання|кожне",
        meta="стаття|статтю|статті|питання|запитання|зображення|відповіді|пари|знати|допоможе|ще|вікіпедії"
        "|потрібно|корисно|потрібні",
        refuses="вибачте|на жаль|перепрошую|я не можу|пробачте",
        pair="пара",
        pairs="запитань|питань|пары",
    ),
    "Persian": Language(
        question="پرسش|سوال|سؤال|س",
        answer="پاسخ|جواب|ج|پ|پاسخ صحیح",
        article="مقاله ویکی‌پدیا|مقاله ویکی پدیا|مقاله|متن|مقالهٔ ویکی‌پدیا|متن مقاله|زمینه|مقاله‌ی ویکی‌پدیا"
        "|مقاله به سبک ویکی‌پدیا",
        questions="پرسش‌ها|سوالات|سؤالات|سوال‌ها|پرسشها",
        answers="پاسخ‌ها|جواب‌ها|پاسخها|پاسخنامه|کلید پاسخ",
        heads="پرسش و پاسخ|جفت‌های|جفت|های|درباره|تصویر|بر|اساس|پرسش‌ها و پاسخ‌ها|از|مربوط|به|زوج‌های|مقاله|در|زیر",
        note="توضیح|دلیل|منبع|یادداشت|راهنمایی|نکته|توضیحات",
        title="عنوان|موضوع|عنوان مقاله",
        opens="البته|حتما|حتماً|در زیر|در ادامه|بر اساس|تصویر|این تصویر|اکنون|با کمال|بسیار|این|سلام"
        "|در این تصویر|حالا|در اینجا",
        closes="امیدوارم|اگر|لطفا|لطفاً|این پرسش‌ها|همه|آیا|توجه|نکته|در صورت|این سوالات|هر سوال|تمام",
        meta="مقاله|پرسش|تصویر|پاسخ|سوال|کمک|ویکی‌پدیا|بیشتر|مفید|بفرمایید|سوالات|پرسش‌ها",
        refuses="متاسفم|متأسفم|متاسفانه|متأسفانه|ببخشید|نمی‌توانم|عذر",
        ordinals="اول دوم سوم چهارم پنجم ششم هفتم هشتم نهم دهم",
    ),
    "Thai": Language(
        question="คำถามที่|คำถาม|ถาม|ข้อที่|ข้อ",
        answer="คำตอบที่|คำตอบ|ตอบ|เฉลย",
        article="บทความวิกิพีเดีย|บทความ|เนื้อหา|บริบท|บทความ wikipedia|บทความจากวิกิพีเดีย|บทความสไตล์วิกิพีเดีย|วิกิพีเดีย",
        questions="รายการคำถาม",
        answers="รายการคำตอบ",
        heads="และ|คู่|คำถาม-คำตอบ|ถาม-ตอบ|ถามตอบ|เกี่ยวกับ|ภาพ|จาก|ต่อไปนี้|รูปภาพ|คือ|ที่|มี|ชุด|บทความ",
        note="คำอธิบาย|เหตุผล|แหล่งที่มา|หมายเหตุ|คำใบ้|อธิบาย|หลักฐาน",
        title="ชื่อเรื่อง|หัวข้อ|ชื่อบทความ",
        opens="แน่นอน|ต่อไปนี้|ด้านล่าง|นี่คือ|ได้เลย|จากภาพ|ภาพนี้|ได้ครับ|ได้ค่ะ|ตอนนี้|รูปภาพ|ยินดี|สวัสดี|และนี่",
        closes="หวังว่า|หาก|ถ้า|คุณต้องการ|คำถามเหล่านี้|ทุกคำถาม|โปรด|แจ้ง|หมายเหตุ|ต้องการ|ยินดี|คำถามทั้งหมด",
        meta="บทความ|คำถาม|ภาพ|คำตอบ|ช่วย|แจ้ง|วิกิพีเดีย|เพิ่มเติม|คู่|ประโยชน์|แก้ไข",
        refuses="ขออภัย|ขอโทษ|เสียใจ|ฉันไม่สามารถ|ผมไม่สามารถ",
        pairs="ถามตอบ",
    ),
    "Swedish": Language(
        question="fråga",
        answer="svar",
        article="wikipediaartikel|wikipedia-artikel|artikel",
        questions="frågor",
        answers="svaren",
        heads="och|par|frågor-svar|bilden|om|här|är|baserade|på",
    ),
    "Danish and Norwegian": Language(
        question="spørgsmål|spørsmål",
        answer="svar",
        article="wikipedia-artikel|wikipediaartikel|artikel",
        questions="spørgsmålene|spørsmålene",
        answers="svarene",
        heads="og|par|bildet|billedet|om|her|er|basert|på",
    ),
    "Finnish": Language(
        question="kysymys",
        answer="vastaus",
        article="wikipedia-artikkeli|artikkeli",
        questions="kysymykset",
        answers="vastaukset",
        heads="ja|parit|kysymys-vastausparit|kuvasta",
    ),
    "Czech and Slovak": Language(
        question="otázka|otázka č.|otázka číslo",
        answer="odpověď|odpoveď",
        article="článek na wikipedii|článek|článok",
        questions="otázky",
        answers="odpovědi|odpovede",
        heads="a|páry|dvojice|k|obrázku",
    ),
    "Romanian": Language(
        question="întrebare|întrebarea|î",
        answer="răspuns|răspunsul",
        article="articol wikipedia|articolul|articol",
        questions="întrebări",
        answers="răspunsuri",
        heads="și|şi|perechi|de|despre|imagine",
    ),
    "Hungarian": Language(
        question="kérdés",
        answer="válasz",
        article="wikipédia-szócikk|szócikk|cikk",
        questions="kérdések",
        answers="válaszok",
        heads="és|párok|kérdés-válasz|a|képről",
    ),
    "Greek": Language(
        question="ερώτηση|ερ|ε",
        answer="απάντηση|απ|α",
        article="άρθρο της βικιπαίδειας|άρθρο βικιπαίδειας|άρθρο wikipedia|άρθρο",
        questions="ερωτήσεις",
        answers="απαντήσεις",
        heads="και|ζεύγη|ερωτήσεων|απαντήσεων|εικόνα|για|την",
    ),
    "Hebrew": Language(
        question="שאלה|ש",
        answer="תשובה|ת",
        article="ערך ויקיפדיה|מאמר ויקיפדיה|מאמר|ערך",
        questions="שאלות",
        answers="תשובות",
        heads="ותשובות|ותשובה|זוגות|של|צמדי",
    ),
    "Bengali": Language(
        question="প্রশ্ন",
        answer="উত্তর",
        article="উইকিপিডিয়া নিবন্ধ|নিবন্ধ",
        questions="প্রশ্নাবলী|প্রশ্নসমূহ",
        answers="উত্তরসমূহ",
        heads="ও|এবং|জোড়া",
    ),
    "Urdu": Language(
        question="سوال",
        answer="جواب",
        article="ویکیپیڈیا مضمون|مضمون",
        questions="سوالات",
        answers="جوابات",
        heads="اور|و|جوڑے",
    ),
    "Malay": Language(
        question="soalan",
        answer="jawapan",
        article="artikel wikipedia",
        questions="soalan-soalan",
        answers="jawapan-jawapan",
        heads="dan|pasangan|soal",
    ),
    "Filipino": Language(
        question="tanong",
        answer="sagot",
        article="artikulo sa wikipedia|artikulo",
        questions="mga tanong",
        answers="mga sagot",
        heads="at|mga|pares|ng",
    ),
    "Tamil": Language(
        question="கேள்வி",
        answer="பதில்|விடை",
        article="விக்கிப்பீடியா கட்டுரை|கட்டுரை",
        questions="கேள்விகள்",
        answers="பதில்கள்",
        heads="மற்றும்",
    ),
    "Telugu": Language(
        question="ప్రశ్న",
        answer="సమాధానం|జవాబు",
        article="వికీపీడియా వ్యాసం|వ్యాసం",
        questions="ప్రశ్నలు",
        answers="సమాధానాలు",
        heads="మరియు",
    ),
    "Marathi": Language(
        question="प्रश्न",
        answer="उत्तर",
        article="विकिपीडिया लेख|लेख",
        questions="प्रश्नावली",
        answers="उत्तरे",
        heads="आणि|व",
    ),
    "Catalan": Language(
        question="pregunta",
        answer="resposta",
        article="article de la viquipèdia|article de viquipèdia|article",
        questions="preguntes",
        answers="respostes",
        heads="i|parells|de",
    ),
    "Swahili": Language(
        question="swali|swali la",
        answer="jibu|jibu la",
        article="makala ya wikipedia|makala",
        questions="maswali",
        answers="majibu",
        heads="na|jozi|ya",
    ),
    "Armenian": Language(
        question="հարց",
        answer="պատասխան",
        article="վիքիպեդիայի հոդված|հոդված",
        questions="հարցեր",
        answers="պատասխաններ",
        heads="և|եւ|զույգեր|հարց-պատասխան",
    ),
    "Georgian": Language(
        question="კითხვა",
        answer="პასუხი",
        article="ვიკიპედიის სტატია|სტატია",
        questions="კითხვები",
        answers="პასუხები",
        heads="და|წყვილები",
    ),
    "Bulgarian": Language(
        question="въпрос",
        answer="отговор",
        article="статия в уикипедия|статия",
        questions="въпроси",
        answers="отговори",
        heads="и|двойки|въпрос-отговор",
    ),
    "Serbian, Croatian and Bosnian": Language(
        question="питање|pitanje",
        answer="одговор|odgovor",
        article="чланак|članak",
        questions="питања|pitanja",
        answers="одговори|odgovori",
        heads="и|i|парови|parovi",
    ),
    "Slovene": Language(
        question="vprašanje",
        answer="odgovor",
        article="članek",
        questions="vprašanja",
        answers="odgovori",
        heads="in|pari",
    ),
    "Lithuanian": Language(
        question="klausimas",
        answer="atsakymas",
        article="straipsnis",
        questions="klausimai",
        answers="atsakymai",
        heads="ir|poros",
    ),
    "Latvian": Language(
        question="jautājums",
        answer="atbilde",
        article="raksts",
        questions="jautājumi",
        answers="atbildes",
        heads="un|pāri",
    ),
    "Estonian": Language(
        question="küsimus",
        answer="vastus",
        article="artikkel",
        questions="küsimused",
        answers="vastused",
        heads="ja|paarid",
    ),
    "Icelandic": Language(
        question="spurning",
        answer="svar",
        article="grein",
        questions="spurningar",
        answers="svör",
        heads="og|pör",
    ),
    "Kazakh": Language(
        question="сұрақ",
        answer="жауап",
        article="мақала",
        questions="сұрақтар",
        answers="жауаптар",
        heads="мен|және|жұптары",
    ),
    "Azerbaijani and Uzbek": Language(
        question="sual|savol",
        answer="cavab|javob",
        article="məqalə|maqola",
        questions="suallar|savollar",
        answers="cavablar|javoblar",
        heads="və|va|cütləri",
    ),
    "Gujarati": Language(
        question="પ્રશ્ન",
        answer="જવાબ|ઉત્તર",
        article="લેખ",
        questions="પ્રશ્નો",
        answers="જવાબો",
        heads="અને",
    ),
    "Kannada": Language(
        question="ಪ್ರಶ್ನೆ",
        answer="ಉತ್ತರ",
        article="ಲೇಖನ",
        questions="ಪ್ರಶ್ನೆಗಳು",
        answers="ಉತ್ತರಗಳು",
        heads="ಮತ್ತು",
    ),
    "Malayalam": Language(
        question="ചോദ്യം",
        answer="ഉത്തരം",
        article="ലേഖനം",
        questions="ചോദ്യങ്ങൾ",
        answers="ഉത്തരങ്ങൾ",
        heads="ഒപ്പം",
    ),
    "Punjabi": Language(
        question="ਸਵਾਲ|ਪ੍ਰਸ਼ਨ",
        answer="ਜਵਾਬ|ਉੱਤਰ",
        article="ਲੇਖ",
        questions="ਪ੍ਰਸ਼ਨ ਅਤੇ ਉੱਤਰ",
        answers="ਉੱਤਰਾਂ",
        heads="ਅਤੇ",
    ),
    "Nepali": Language(
        question="प्रश्न",
        answer="उत्तर|जवाफ",
        article="लेख",
        questions="प्रश्नहरू",
        answers="उत्तरहरू",
        heads="र|तथा",
    ),
    "Sinhala": Language(
        question="ප්‍රශ්නය",
        answer="පිළිතුර",
        article="ලිපිය",
        questions="ප්‍රශ්න",
        answers="පිළිතුරු",
        heads="සහ",
    ),
    "Burmese": Language(
        question="မေးခွန်း",
        answer="အဖြေ",
        article="ဆောင်းပါး",
        questions="မေးခွန်းများ",
        answers="အဖြေများ",
        heads="နှင့်",
    ),
    "Khmer": Language(
        question="សំណួរ",
        answer="ចម្លើយ",
        article="អត្ថបទ",
        questions="សំណួរទាំងអស់",
        answers="ចម្លើយទាំងអស់",
        heads="និង",
    ),
    "Amharic": Language(
        question="ጥያቄ",
        answer="መልስ",
        article="ጽሑፍ",
        questions="ጥያቄዎች",
        answers="መልሶች",
        heads="እና",
    ),
    "Afrikaans": Language(
        question="vraag",
        answer="antwoord",
        article="artikel",
        questions="vrae",
        answers="antwoorde",
        heads="en|pare",
    ),
    "Galician": Language(
        question="pregunta",
        answer="resposta",
        article="artigo",
        questions="preguntas",
        answers="respostas",
        heads="e|pares",
    ),
    "Basque": Language(
        question="galdera",
        answer="erantzuna",
        article="artikulua",
        questions="galderak",
        answers="erantzunak",
        heads="eta|bikoteak",
    ),
}


def split_words(words: str) -> frozenset[str]:
    """Words that are written with ``|`` between them."""
    return frozenset(words.split("|"))


def column(field: str) -> frozenset[str]:
    """All rows' words of one column.

    >>> "pregunta" in column("question")
    True
    """
    return frozenset(word for row in LANGUAGES.values() for word in getattr(row, field).split("|") if word)
