"""Attributions of a tiny encoder: they add up, name the token that matters, and cut a text where it can be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.apply import Heads, IntentHead, save_heads
from training.attribute import Explainer, attribute_texts, pieces
from training.errors import TrainingError
from training.fit import no_head
from training.progress import silent

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "query", ":", "card", "lost", "my", "fee", *"银行卡丢了费用"]
DIM = 32


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BertModel of two layers with random weights, as a sentence-transformers folder with a prefix."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>",
        model_max_length=24,
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=DIM, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=32, pad_token_id=1, initializer_range=0.4,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(place / "raw")
    fast.save_pretrained(place / "raw")
    inner = Transformer(str(place / "raw"), max_seq_length=24)
    model = SentenceTransformer(
        modules=[inner, Pooling(DIM, "mean")], device="cpu", prompts={"query": "query: "}
    )
    model.save_pretrained(str(place / "model"), create_model_card=False)
    return place / "model"


@pytest.fixture(scope="module")
def head() -> IntentHead:
    random = np.random.default_rng(1)
    return IntentHead(
        ("card_fee", "card_lost", "挂失"),
        (random.normal(size=DIM) / 10).astype(np.float32),
        random.uniform(0.05, 0.2, size=DIM).astype(np.float32),
        random.normal(size=(3, DIM)).astype(np.float32),
        random.normal(size=3).astype(np.float32),
        1.0,
    )


def test_shares_add_up_to_the_difference_of_the_logits(
    encoder: Path, head: IntentHead, tmp_path: Path
) -> None:
    save_heads(tmp_path, Heads("h", head, no_head(DIM), None))
    texts = ["my card lost", "银行卡丢了", "fee"]
    plan = [{"text": text, "label": "card_lost" if n else None, "truth": "x"} for n, text in enumerate(texts)]
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    found = attribute_texts(encoder, tmp_path, tmp_path, report=silent)
    assert json.loads((tmp_path / "attributions.json").read_text(encoding="utf-8"))[1]["text"] == texts[1]
    for row in found:
        apart = row["logit"] - row["baseline"]
        assert sum(share for _, share in row["tokens"]) == pytest.approx(apart, abs=0.05 * abs(apart) + 1e-3)
        assert "".join(token for token, _ in row["tokens"]) == row["text"]
        assert 0 < row["probability"] < 1
    assert [token for token, _ in found[1]["tokens"]] == list("银行卡丢了")
    assert [token for token, _ in found[0]["tokens"]] == ["my", " card", " lost"]
    assert {row["label"] for row in found[1:]} == {"card_lost"}


def test_the_logit_is_the_heads_own(encoder: Path, head: IntentHead) -> None:
    from training.export import load

    model = load(str(encoder))
    row = Explainer(model, head)("my card lost", "挂失")
    vector = model.encode(["my card lost"], prompt_name="query", normalize_embeddings=True)
    own = ((vector - head.mean) / head.scale) @ head.weight.T + head.bias
    assert row["logit"] == pytest.approx(float(own[0, 2]), abs=1e-3)
    with pytest.raises(TrainingError, match="There is no intent `none`"):
        Explainer(model, head)("my card", "none")
    with pytest.raises(TrainingError, match="knows no intents"):
        Explainer(model, no_head(DIM))


def test_pieces_are_the_text() -> None:
    spans = [(0, 0), (0, 2), (3, 5), (5, 6), (5, 6), (0, 0)]
    assert pieces("my 卡片𠮷 end", spans, [9.0, 1.0, 2.0, 0.5, 0.25, 9.0]) == [
        ("my", 1.0), (" 卡片", 2.0), ("𠮷", 0.75), (" end", 0.0)
    ]  # fmt: skip
    assert pieces("", [(0, 0)], [1.0]) == []
