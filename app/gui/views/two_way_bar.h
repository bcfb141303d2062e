// gemm | elementwise | other in one bar: the blog post's view of a run.
#pragma once

#include <QWidget>
#include <array>
#include <cstdint>

namespace gapscope {

class TwoWayBar : public QWidget {
    Q_OBJECT

public:
    explicit TwoWayBar(QWidget* parent = nullptr);

    // By TwoWay; `amounts` are the same in words (none: they are ns).
    void show(const std::array<int64_t, 3>& values, const std::array<QString, 3>& amounts = {});

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::array<int64_t, 3> m_values{};
};

}  // namespace gapscope
